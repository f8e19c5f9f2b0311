import { LEASE_MS, LEASE_RENEW_MS } from '../jobs/limits.ts';
import type { EnvReader } from '../runtime/settings.ts';

export interface WorkerSettings {
  /** The worker's name, unique among all that ever were. */
  readonly id: string;
  readonly host: string;
  readonly node: string | null;
  /** The lease, and how often it is renewed together with the checkpoints, in milliseconds. */
  readonly leaseMs: number;
  readonly renewMs: number;
  /** The first lease is asked for again within this time, in milliseconds; then the worker cannot be started. */
  readonly firstLeaseMs: number;
  /** How often the worker says that it is alive, in milliseconds; silence of five times as long means death. */
  readonly aliveMs: number;
  /** How often an idle worker asks the store itself for work, in milliseconds; more often while it finds some. */
  readonly pollMs: number;
  /** Seconds of work held of a class and the shorter ones, and the most jobs held. */
  readonly holdSeconds: number;
  readonly maxJobs: number;
  /** Draining may take this long, in milliseconds. */
  readonly drainMs: number;
}

/**
 * What a checkpoint takes beside the wait for its turn, in milliseconds: the variation of the interval, a position that
 * is a quarter of a second old, the write. So `kill -9` costs no more than `LEASE_RENEW_MS`.
 */
const CHECKPOINT_MARGIN_MS = 500;

/** The settings that hold unless something else is said. */
export function defaultWorkerSettings(id: string, host: string): WorkerSettings {
  return {
    id,
    host,
    node: null,
    leaseMs: LEASE_MS,
    renewMs: LEASE_RENEW_MS - CHECKPOINT_MARGIN_MS,
    firstLeaseMs: 60_000,
    aliveMs: 2_000,
    pollMs: 2_000,
    holdSeconds: 5,
    maxJobs: 50_000,
    drainMs: 20_000,
  };
}

/** Settings of a worker among others. Leases and alive messages are what endpoints reckon with: they are not settings. */
export function workerSettings(
  read: EnvReader,
  unless: { readonly id: string; readonly host: string },
): WorkerSettings {
  const standard = defaultWorkerSettings(
    read.text('WORKER_ID', {
      default: unless.id,
      pattern: /^[\w.-]{1,100}$/,
      expected: 'letters, digits, ".", "_" and "-", 100 at most',
    }),
    unless.host,
  );
  return {
    ...standard,
    node: read.text('NODE_NAME', { default: null }),
    holdSeconds: read.integer('HOLD_SECONDS', { default: standard.holdSeconds, min: 1, max: 3_600 }),
    maxJobs: read.integer('MAX_JOBS_HELD', { default: standard.maxJobs, min: 1, max: 1_000_000 }),
    drainMs: read.durationMs('DRAIN_TIMEOUT', { default: standard.drainMs, min: 0, max: 24 * 60 * 60_000 }),
  };
}
