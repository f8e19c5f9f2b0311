import type { Topic, Topics } from '../jobs/messages.ts';

/** Some messages of a topic, in the order of the bus, and how to say that they are dealt with. */
export interface Batch<T extends Topic> {
  readonly messages: readonly Topics[T][];
  /**
   * Members of a group commit; what is not committed when a member leaves is given to another. Resolves when the bus has
   * taken note. A member that dies right after may not have told the others, so a committed batch can come again. The
   * commit of a batch says nothing about those before it. Without a group it only says that the batch need not come again.
   */
  commit(): Promise<void>;
}

/** Called with one batch at a time; the next comes when the promise settles. A rejection is logged, and the batch comes again. */
export type Handler<T extends Topic> = (batch: Batch<T>) => Promise<void>;

export interface SubscribeOptions {
  /**
   * Members of a group share the messages among them. A new group may begin with what was published before.
   * Null: every subscriber gets every message from now on.
   */
  readonly group: string | null;
  /** The most messages in a batch. */
  readonly maxBatch: number;
}

export interface Subscription {
  /** Nothing is handed over until `resume`, and nothing more is fetched. What waits stays on the bus. Both are idempotent. */
  pause(): void;
  resume(): void;
  /** Waits for the handler, then leaves, so that others of the group take over at once. Idempotent. */
  close(): Promise<void>;
}

/** The bus cannot be used now. Nothing depends on it: the store is the truth. */
export class BusUnavailableError extends Error {
  override readonly name = 'BusUnavailableError';
}

/** Carries ids, results and alive messages quickly, at least once. Losing all of it loses no job. */
export interface Bus {
  /**
   * Resolves when the bus can be used, and after a few seconds also when it cannot yet: a process starts without it. The
   * bus then goes on trying, and `trouble` says why. Idempotent.
   */
  start(): Promise<void>;
  /** Closes every subscription, waiting for its handler, and everything else. Idempotent. */
  stop(): Promise<void>;
  /**
   * Resolves when the messages are safe on the bus. Rejects with `BusUnavailableError`, within a few seconds, when they
   * may not have been taken.
   */
  publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): Promise<void>;
  /**
   * With a group, resolves at once also while the bus is away: what waits for the group waits on the bus, and this member
   * joins as soon as it can. Without a group, resolves when every message published from then on will come, and rejects
   * with `BusUnavailableError`, within a few seconds, when that cannot be promised: try again later. A subscription lives
   * through every fault of the bus by itself. Rejects on a bus that is not started.
   */
  subscribe<T extends Topic>(topic: T, options: SubscribeOptions, handler: Handler<T>): Promise<Subscription>;
  /** Null when all is well; otherwise what is wrong, for health and logs. */
  trouble(): string | null;
}
