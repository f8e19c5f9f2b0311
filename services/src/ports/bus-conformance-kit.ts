import { chainOf } from '../jobs/digest.ts';
import { jobId } from '../jobs/id.ts';
import type { Dispatch } from '../jobs/messages.ts';
import type { Batch, Bus, Handler } from './bus.ts';

/** A bus that a test has to itself: topics and groups of the same name elsewhere are others. */
export interface BusUnderTest {
  readonly bus: Bus;
  /** Stops the bus, also one that was stopped already, and removes what it kept. */
  close(): Promise<void>;
}

export type BusSetup = () => Promise<BusUnderTest>;

/** Gives a test its own started bus, which is closed after it. */
export type Open = () => Promise<Bus>;

/** Real servers take their time to move partitions about. */
export const LIMIT_MS = 60_000;

export const TOPIC = 'jobs.1';

export function dispatch(number: number): Dispatch {
  return { id: jobId('default', chainOf(String(number)), 1), cost: number };
}

/** `count` messages, the first with this number. */
export function dispatches(count: number, first = 1): Dispatch[] {
  return Array.from({ length: count }, (_, at) => dispatch(first + at));
}

/** Keeps what a handler is given, and lets a test wait for it. */
export class Collector {
  readonly batches: Dispatch[][] = [];
  #waiters: { readonly enough: () => boolean; readonly resolve: () => void }[] = [];

  get costs(): number[] {
    return this.batches.flat().map(({ cost }) => cost);
  }

  get distinct(): number[] {
    return [...new Set(this.costs)].toSorted((a, b) => a - b);
  }

  /** A handler that keeps the batch, then does `next`; by itself it commits. */
  handler(
    next: (batch: Batch<typeof TOPIC>) => Promise<void> = (batch) => batch.commit(),
  ): Handler<typeof TOPIC> {
    return async (batch) => {
      this.batches.push([...batch.messages]);
      this.#look();
      await next(batch);
      this.#look();
    };
  }

  #look(): void {
    this.#waiters = this.#waiters.filter(({ enough, resolve }) => {
      if (!enough()) return true;
      resolve();
      return false;
    });
  }

  /** Until a condition holds that only what comes can change. The test's own time limit is the bound. */
  until(enough: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ enough, resolve });
      this.#look();
    });
  }

  /** Until so many different messages have come. */
  untilDistinct(count: number): Promise<void> {
    return this.until(() => this.distinct.length >= count);
  }
}

/** A promise, and how to keep it. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}

/** Gives whatever could happen at once the chance to happen. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
