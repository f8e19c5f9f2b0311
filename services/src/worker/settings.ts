import { LEASE_MS, LEASE_RENEW_MS } from '../jobs/limits.ts';

export interface WorkerSettings {
  /** The worker's name, unique among all that ever were. */
  readonly id: string;
  readonly host: string;
  readonly node: string | null;
  /** The lease, and how often it is renewed together with the checkpoints, in milliseconds. */
  readonly leaseMs: number;
  readonly renewMs: number;
  /** How often the worker says that it is alive, in milliseconds; silence of five times as long means death. */
  readonly aliveMs: number;
  /** How often a worker with free lanes asks the store itself for work, in milliseconds. */
  readonly pollMs: number;
  /** Seconds of work held of a class and the shorter ones, and the most jobs held. */
  readonly holdSeconds: number;
  readonly maxJobs: number;
  /** Draining may take this long, in milliseconds. */
  readonly drainMs: number;
}

/** The settings that hold unless something else is said. */
export function defaultWorkerSettings(id: string, host: string): WorkerSettings {
  return {
    id,
    host,
    node: null,
    leaseMs: LEASE_MS,
    renewMs: LEASE_RENEW_MS,
    aliveMs: 2_000,
    pollMs: 2_000,
    holdSeconds: 5,
    maxJobs: 50_000,
    drainMs: 20_000,
  };
}
