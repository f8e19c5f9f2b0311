import { chainOf } from '../../jobs/digest.ts';
import { costClassOf } from '../../jobs/cost.ts';
import { jobFacts } from '../../jobs/id.ts';
import type { JobFacts, JobResult, LiveJob } from '../../jobs/job.ts';
import type { Alive } from '../../jobs/messages.ts';

/** The facts of a job for tests, named by its data. */
export function facts(data: string, iterations = 1_000_000): JobFacts {
  return jobFacts('default', chainOf(data), iterations);
}

/** A live job for tests. */
export function liveJob(data: string, changes: Partial<LiveJob> = {}): LiveJob {
  const job = facts(data, changes.iterations);
  const start = {
    position: 1,
    digest: job.chain,
    owner: null,
    attempts: 0,
    createdAt: 1_000,
    queuedAt: 1_000,
  };
  return { ...job, ...start, class: costClassOf(job.iterations - 1), ...changes };
}

/** A result for tests. */
export function jobResult(data: string, changes: Partial<JobResult> = {}): JobResult {
  const job = facts(data, changes.iterations);
  const ended = {
    outcome: 'done',
    digest: 'd'.repeat(128),
    reason: null,
    computed: job.iterations - 1,
  } as const;
  const times = { createdAt: 1_000, startedAt: 1_500, finishedAt: 2_000, expiresAt: 3_000 };
  return { ...job, ...ended, ...times, worker: 'w1', ...changes };
}

/** What a worker says for tests. */
export function aliveMessage(changes: Partial<Alive> = {}): Alive {
  return {
    ...{ worker: 'w1', host: 'host', node: null, startedAt: 1_000, at: 2_000, backend: 'node' },
    ...{ engines: 2, lanes: 16, freeLanes: 4, rate: 500, capacity: 1_000, jobs: 3, backlogSeconds: 2 },
    ...{ positions: [], cpu: 0.5, disk: null, draining: false },
    ...changes,
  };
}
