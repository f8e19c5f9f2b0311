import type {
  ChainPoint,
  CostClass,
  Digest,
  JobFacts,
  JobId,
  JobResult,
  JobState,
  JobView,
  LiveJob,
} from '../jobs/job.ts';
import type { CheckpointAnswer, CompleteAnswer, Completion } from '../jobs/machine.ts';

/**
 * A submission. With `computed`, the digest at `iterations` is known already (the endpoint hashed it): it goes straight
 * into the results, in one write.
 */
export interface Submission extends JobFacts {
  readonly computed?: { readonly digest: Digest };
}

/**
 * `created`: a new live job. `joined`: the same job was live already. `known`: a done result; `fresh` when this very
 * submission brought it. `contradiction`: another digest is stored for this job, and stays.
 */
export type Submitted =
  | { readonly kind: 'created' | 'joined'; readonly job: LiveJob }
  | { readonly kind: 'known'; readonly result: JobResult; readonly fresh: boolean }
  | { readonly kind: 'contradiction'; readonly result: JobResult };

/** Which jobs a worker wants: these, if they are still queued, or the oldest of a class. */
export type ClaimWish =
  { readonly ids: readonly JobId[] } | { readonly class: CostClass; readonly limit: number };

/** Where a job stands, by its worker. */
export interface Checkpoint extends ChainPoint {
  readonly id: JobId;
}

export interface ListQuery {
  readonly tenant: string;
  readonly state: JobState | null;
  /** What `Page.next` said; null for the first page. */
  readonly cursor: string | null;
  /** 1 … 1,000. */
  readonly limit: number;
}

/**
 * Live jobs by id, then results, the newest first. What ends after the first page of all states was read stays among the
 * live jobs, by its id: no page shows again what an earlier one has shown. `next` is null on the last page.
 */
export interface Page {
  readonly items: readonly JobView[];
  readonly next: string | null;
}

/** What waits and what runs, by class. */
export interface Backlog {
  readonly queued: readonly ClassBacklog[];
  readonly running: number;
}

export interface ClassBacklog {
  readonly class: CostClass;
  readonly jobs: number;
  /** Iterations left, of all of them. */
  readonly iterations: number;
  /** When the oldest was queued, by the store's clock; null when none is. */
  readonly oldestQueuedAt: number | null;
}

export interface SweepOptions {
  /** Jobs queued for longer than this (milliseconds) are reported, to be published again. */
  readonly forgottenAfterMs: number;
  /** The most jobs to act on in one sweep, of each kind. */
  readonly limit: number;
}

export interface Sweep {
  /** Jobs whose worker's lease had run out, now queued again. */
  readonly requeued: readonly LiveJob[];
  /** Jobs given up. */
  readonly failed: readonly JobResult[];
  /** Jobs that have been queued for too long: nobody may know of them. */
  readonly forgotten: readonly LiveJob[];
  /** Results that had expired, now deleted. */
  readonly expired: number;
}

/**
 * A stored digest whose check value does not match: a bit has flipped on the disk or in the memory of a server. Nobody is
 * shown it, and nothing goes on from it.
 */
export interface DamagedFact {
  readonly job: JobId;
  readonly what: 'result' | 'checkpoint';
  /** The position on the chain that the digest was said to be of. */
  readonly position: number;
  /** Whether the job is computed again; false: not even what it was can be believed, and it has failed. */
  readonly recomputed: boolean;
}

/** A cursor that this store did not give. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError';
}

/** The store cannot be used now. What was asked may or may not have happened; asking again under the same id is safe. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/**
 * Where jobs live. An answer means that the write is durable; a batch is answered item by item, in order.
 * The rules are those of `jobs/machine.ts`. Everything rejects with `StoreUnavailableError` when the store is away.
 */
export interface JobStore {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Null when all is well; otherwise what is wrong, for health and logs. */
  trouble(): string | null;
  /** The store's clock, by which it dates everything: milliseconds since 1970. A step of this machine's clock leaves it alone. */
  now(): number;
  /** Null, or why clocks cannot be trusted just now: then no result is deleted. */
  clockTrouble(): string | null;
  /**
   * Tells databases apart that processes could be mixed up about: 8 hexadecimal characters. Null while it is not known;
   * absent where there is nothing to mix up.
   */
  databaseId?(): string | null;
  /** Equal jobs within a batch and across batches are one job. */
  submit(batch: readonly Submission[]): Promise<Submitted[]>;
  /** Null for an id that is unknown, or another tenant's. */
  get(tenant: string, ids: readonly JobId[]): Promise<(JobView | null)[]>;
  /** Rejects with `InvalidCursorError`. */
  list(query: ListQuery): Promise<Page>;
  /** The jobs that are now this worker's; those that could not be had are simply missing. */
  claim(worker: string, wish: ClaimWish): Promise<LiveJob[]>;
  checkpoint(worker: string, batch: readonly Checkpoint[]): Promise<CheckpointAnswer[]>;
  complete(batch: readonly Completion[]): Promise<CompleteAnswer[]>;
  /** False where the job was not this worker's any more. */
  release(worker: string, batch: readonly Checkpoint[]): Promise<boolean[]>;
  /** The jobs that the store thinks are this worker's, at most 10,000 of them: finds claims whose answer got lost. */
  owned(worker: string): Promise<LiveJob[]>;
  /** One lease per worker, by the store's clock, `leaseMs` long from now. 0 ends it. */
  renew(worker: string, leaseMs: number): Promise<void>;
  sweep(options: SweepOptions): Promise<Sweep>;
  /** What is known of each id afterwards, and whether this call cancelled it; null where `get` says null. */
  cancel(
    tenant: string,
    ids: readonly JobId[],
  ): Promise<({ readonly cancelled: boolean; readonly view: JobView } | null)[]>;
  backlog(): Promise<Backlog>;
}

/** What an adapter is made with, whatever it is made of. */
export interface StoreOptions {
  /** Results are kept this long after their last use, in milliseconds. */
  readonly retentionMs: number;
  /** Whether a chain that another tenant has computed may be gone on from. */
  readonly sharedCache: boolean;
  /** Results with fewer iterations are not worth looking up as the beginning of longer ones. */
  readonly reuseIterations: number;
  /** Told of each damaged digest that is found, once. */
  readonly onDamaged?: (fact: DamagedFact) => void;
}
