// What a user writes on the client that openapi-typescript and openapi-fetch make of /openapi.json.
//   node client.ts URL DATA WAITED POLLED     prints the digests of DATA at positions WAITED and POLLED
import createClient from 'openapi-fetch';
import { setTimeout as sleep } from 'node:timers/promises';
import type { components, paths } from './schema.d.ts';

type Job = components['schemas']['Job'];

const [url = '', data = '', waited, polled] = process.argv.slice(2);
const DEADLINE_MS = 60_000;
const POLL_MS = 50;
const client = createClient<paths>({ baseUrl: url });

async function submit(iterations: number, prefer?: string): Promise<Job> {
  const { data: job, error } = await client.POST('/v1/jobs', {
    params: prefer === undefined ? {} : { header: { prefer } },
    body: { data, iterations },
  });
  if (typeof job !== 'object' || !('id' in job))
    throw new Error(`Not a job: ${JSON.stringify(job ?? error)}`);
  return job;
}

async function read(id: string): Promise<Job> {
  const { data: job, error } = await client.GET('/v1/jobs/{id}', { params: { path: { id } } });
  if (!job) throw new Error(`${error.title}: ${error.detail}`);
  return job;
}

async function poll(id: string): Promise<Job> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const job = await read(id);
    if (job.state !== 'queued' && job.state !== 'running') return job;
    if (performance.now() > deadline) throw new Error(`Not done in time: ${JSON.stringify(job)}`);
    await sleep(POLL_MS);
  }
}

const { id } = await submit(Number(waited), 'wait=60');
console.log((await read(id)).digest);
const submitted = await submit(Number(polled));
console.log((await poll(submitted.id)).digest);
