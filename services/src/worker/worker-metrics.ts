import type { Hasher } from '../ports/hasher.ts';
import type { Counter, Histogram, Metrics } from '../ports/metrics.ts';
import type { HeldJobs } from './held-jobs.ts';

const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 86_400];

/** What a worker counts. */
export interface WorkerMetrics {
  readonly claimed: Counter;
  readonly finished: Counter;
  readonly released: Counter;
  readonly checkpoints: Counter;
  readonly lost: Counter;
  /** Held, not hashed, and started again. */
  readonly restarted: Counter;
  readonly contradictions: Counter;
  readonly storeErrors: Counter;
  readonly lostMessages: Counter;
  /** Seconds from the queue to the claim, and from the claim to the end. */
  readonly waited: Histogram;
  readonly ran: Histogram;
}

/** Names the worker's numbers, and lets the monitoring read what it holds. */
export function workerMetrics(metrics: Metrics, hasher: Hasher, held: HeldJobs): WorkerMetrics {
  const count = (name: string, description: string): Counter =>
    metrics.counter(`hashcluster.worker.${name}`, { description, unit: '{job}' });
  const seconds = (name: string, description: string): Histogram =>
    metrics.histogram(`hashcluster.worker.${name}`, { description, unit: 's', boundaries: SECONDS });
  const gauge = (name: string, unit: string, description: string, read: () => number): void =>
    metrics.gauge(`hashcluster.worker.${name}`, { description, unit }, () => [
      { value: read(), labels: { backend: hasher.description.backend } },
    ]);
  gauge('jobs.held', '{job}', 'Jobs in the hands of this worker', () => held.size);
  gauge('lanes.free', '{lane}', 'Lanes without a chain', () => hasher.load().freeLanes);
  gauge('capacity', '{iteration}/s', 'Iterations per second with full lanes', () => hasher.load().capacity);
  gauge('iterations', '{iteration}', 'Iterations done since start', () => hasher.load().iterationsDone);
  return {
    claimed: count('jobs.claimed', 'Jobs claimed'),
    finished: count('jobs.finished', 'Jobs finished'),
    released: count('jobs.released', 'Jobs given back'),
    checkpoints: count('checkpoints', 'Checkpoints written'),
    lost: count('jobs.lost', 'Jobs that were no longer ours at a checkpoint'),
    restarted: count('jobs.restarted', 'Jobs that were held and not hashed, and were started again'),
    contradictions: count(
      'contradictions',
      'Digests that contradict stored ones: hardware is broken somewhere',
    ),
    storeErrors: count('store.errors', 'Store calls that failed'),
    lostMessages: metrics.counter('hashcluster.worker.messages.lost', {
      description: 'Messages that could not be published, by topic; nothing depends on them',
      unit: '{message}',
    }),
    waited: seconds('job.wait', 'From the queue to the claim'),
    ran: seconds('job.run', 'From the claim to the end'),
  };
}
