"""What a user writes on the client that openapi-python-client makes of /openapi.json.

python client.py URL DATA WAITED POLLED     prints the digests of DATA at positions WAITED and POLLED
"""

import sys
import time

import httpx

from hashcluster_client import Client
from hashcluster_client.api.jobs import get_job, submit_jobs
from hashcluster_client.models import Job, JobState, TextJobItem
from hashcluster_client.types import UNSET, Unset

DEADLINE_S = 60
POLL_S = 0.05


def submit(client: Client, item: TextJobItem, prefer: str | Unset = UNSET) -> Job:
    job = submit_jobs.sync(client=client, body=item, prefer=prefer)
    assert isinstance(job, Job), job
    return job


def read(client: Client, id: str) -> Job:
    job = get_job.sync(id, client=client)
    assert isinstance(job, Job), job
    return job


def poll(client: Client, id: str) -> Job:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        job = read(client, id)
        if job.state not in (JobState.QUEUED, JobState.RUNNING):
            return job
        assert time.monotonic() < deadline, job
        time.sleep(POLL_S)


def main(url: str, data: str, waited: int, polled: int) -> None:
    client = Client(base_url=url, timeout=httpx.Timeout(DEADLINE_S + 5), raise_on_unexpected_status=True)
    with client:
        job = submit(client, TextJobItem(data=data, iterations=waited), f"wait={DEADLINE_S}")
        print(read(client, job.id).digest)
        job = submit(client, TextJobItem(data=data, iterations=polled))
        print(poll(client, job.id).digest)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
