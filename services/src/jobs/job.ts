/** A SHA-512 digest: 128 lower-case hexadecimal characters (64 bytes). */
export type Digest = string;

/** A job's name: 26 characters of lower-case Crockford base32, see `jobId`. */
export type JobId = string;

/** Where a job is in its life; the machine is drawn in `README.md` beside this file. */
export type JobState = 'queued' | 'running' | 'done' | 'cancelled' | 'failed';

/** How a job ended. */
export type Outcome = 'done' | 'cancelled' | 'failed';

/** Cost class by iterations left: 0 up to 10^5, 1 up to 10^7, 2 up to 10^9, 3 beyond. */
export type CostClass = 0 | 1 | 2 | 3;

/** A point on a chain: `digest` is what stands at `position`. */
export interface ChainPoint {
  readonly position: number;
  readonly digest: Digest;
}

/** What a job is, before anything has happened to it. Its id follows from the other three. */
export interface JobFacts {
  readonly id: JobId;
  readonly tenant: string;
  /** The digest at position 1. */
  readonly chain: Digest;
  /** The position asked for: 1 … 2^53−1. */
  readonly iterations: number;
}

/** A job that is queued or running. Times are milliseconds since 1970 by the store's clock. */
export interface LiveJob extends JobFacts, ChainPoint {
  readonly class: CostClass;
  /** The worker that holds it; null = queued. */
  readonly owner: string | null;
  /** Workers that died holding it since it last made progress. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly queuedAt: number;
}

/** A job that has ended. */
export interface JobResult extends JobFacts {
  readonly outcome: Outcome;
  /** The digest at `iterations` when done; null otherwise. */
  readonly digest: Digest | null;
  /** Why it failed; null otherwise. */
  readonly reason: string | null;
  /** Iterations that were really computed for it; less than `iterations` when a known chain was reused. */
  readonly computed: number;
  /** Who finished it; null when nobody had to, or nobody did. */
  readonly worker: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number;
  readonly expiresAt: number;
  /** Where a cancelled or failed job stood: who submits it again goes on from there. Absent where it had not begun. */
  readonly point?: ChainPoint;
}

/** All that a store knows of one id: at most one live job and one result. */
export interface JobRecord {
  readonly live: LiveJob | null;
  readonly result: JobResult | null;
}

/** What a reader sees of an id. */
export type JobView =
  { readonly kind: 'live'; readonly job: LiveJob } | { readonly kind: 'result'; readonly result: JobResult };

/**
 * The one truth a reader is shown: a done result, then the live job, then a cancelled or failed result.
 * So a resubmission that races a cancel is never lost, and a finished digest is never hidden.
 */
export function viewOf(record: JobRecord): JobView | null {
  const { live, result } = record;
  if (result?.outcome === 'done') return { kind: 'result', result };
  if (live) return { kind: 'live', job: live };
  return result ? { kind: 'result', result } : null;
}

/** The state a reader sees. */
export function stateOf(view: JobView): JobState {
  if (view.kind === 'result') return view.result.outcome;
  return view.job.owner === null ? 'queued' : 'running';
}
