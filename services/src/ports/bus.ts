import type { Topic, Topics } from '../jobs/messages.ts';

/** Some messages of a topic, in the order of the bus, and how to say that they are dealt with. */
export interface Batch<T extends Topic> {
  readonly messages: readonly Topics[T][];
  /** Members of a group commit; what is not committed when a member leaves is given to another. A no-op for broadcasts. */
  commit(): Promise<void>;
}

/** Called with one batch at a time; the next comes when the promise settles. A rejection is logged, and the batch comes again. */
export type Handler<T extends Topic> = (batch: Batch<T>) => Promise<void>;

export interface SubscribeOptions {
  /** Members of a group share the messages among them; null: every subscriber gets every message from now on. */
  readonly group: string | null;
  /** The most messages in a batch. */
  readonly maxBatch: number;
}

export interface Subscription {
  /** Nothing is handed over until `resume`. What waits stays on the bus. Both are idempotent. */
  pause(): void;
  resume(): void;
  /** Waits for the handler, then leaves. Idempotent. */
  close(): Promise<void>;
}

/** The bus cannot be used now. Nothing depends on it: the store is the truth. */
export class BusUnavailableError extends Error {
  override readonly name = 'BusUnavailableError';
}

/**
 * Carries ids, results and alive messages quickly, at least once. Losing all of it loses no job.
 * `publish` rejects with `BusUnavailableError` when the messages may not have been taken.
 */
export interface Bus {
  start(): Promise<void>;
  stop(): Promise<void>;
  publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): Promise<void>;
  subscribe<T extends Topic>(topic: T, options: SubscribeOptions, handler: Handler<T>): Promise<Subscription>;
  /** Null when all is well; otherwise what is wrong, for health and logs. */
  trouble(): string | null;
}
