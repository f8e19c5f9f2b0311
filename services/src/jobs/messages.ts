import type { CostClass, Digest, JobId, Outcome } from './job.ts';

/** A job waits in the queue of its class. Carries the id and its cost (iterations left), never data. */
export interface Dispatch {
  readonly id: JobId;
  readonly cost: number;
}

/** A job has ended. Everybody who waits for it may answer. */
export interface Finished {
  readonly id: JobId;
  readonly outcome: Outcome;
  /** Null unless done. */
  readonly digest: Digest | null;
}

/** Where a job of a worker stands. */
export interface JobPosition {
  readonly id: JobId;
  readonly position: number;
}

/** A worker is there, and this is what it does. Published every 2 s; 10 s of silence mean that it is dead. */
export interface Alive {
  readonly worker: string;
  /** Host or pod, and the node it runs on when known. */
  readonly host: string;
  readonly node: string | null;
  /** When the worker started and when this was said: milliseconds since 1970 by the worker's clock. */
  readonly startedAt: number;
  readonly at: number;
  /**
   * Milliseconds since the worker started, by its monotonic clock: orders the messages of one process, and measures time
   * between them, whatever happens to `at`. Older workers do not say it.
   */
  readonly uptimeMs?: number;
  readonly backend: string;
  readonly engines: number;
  readonly lanes: number;
  readonly freeLanes: number;
  /** Iterations per second over the last interval, and at best. */
  readonly rate: number;
  readonly capacity: number;
  /** Jobs held, and how many seconds of work they are at `capacity`. */
  readonly jobs: number;
  readonly backlogSeconds: number;
  /** Jobs that moved since the last message; at most 1,000 of them. */
  readonly positions: readonly JobPosition[];
  /** Share of the CPU time this worker may use (0 … 1); bytes of disk free and in all, null when unknown. */
  readonly cpu: number;
  readonly disk: { readonly free: number; readonly total: number } | null;
  readonly draining: boolean;
  /** The last message of a worker that has drained: it holds nothing and ends now. */
  readonly left?: boolean;
}

/** An instruction to whoever holds the job: drop it. */
export interface Control {
  readonly kind: 'cancel';
  readonly id: JobId;
}

/** What travels on which topic. */
export interface Topics {
  readonly 'jobs.0': Dispatch;
  readonly 'jobs.1': Dispatch;
  readonly 'jobs.2': Dispatch;
  readonly 'jobs.3': Dispatch;
  readonly results: Finished;
  readonly alive: Alive;
  readonly control: Control;
}

export type Topic = keyof Topics;

/** Every topic there is. */
export const TOPICS: readonly Topic[] = [
  'jobs.0',
  'jobs.1',
  'jobs.2',
  'jobs.3',
  'results',
  'alive',
  'control',
];

/** The topic on which jobs of a class are dispatched. */
export function dispatchTopic(costClass: CostClass): 'jobs.0' | 'jobs.1' | 'jobs.2' | 'jobs.3' {
  return `jobs.${costClass}`;
}
