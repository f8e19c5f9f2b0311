import { type Clock, systemClock } from '../runtime/clock.ts';
import { type Backoff, backoffMs } from './backoff.ts';

export interface QueueOptions {
  /** How many keys are worked on at once; never the same one twice. */
  readonly concurrency: number;
  /**
   * Works on a key. Resolves with the milliseconds after which to do so again, or null. Rejects: it is tried again, later
   * each time. The signal aborts when the queue cannot wait any longer for its stop.
   */
  readonly handle: (key: string, signal: AbortSignal) => Promise<number | null>;
  readonly onFailure: (key: string, error: unknown, waitMs: number) => void;
  /** How long a key waited for its turn, in milliseconds. */
  readonly onTurn?: (key: string, waitedMs: number) => void;
  readonly backoff?: Backoff;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const BACKOFF: Backoff = { baseMs: 500, capMs: 120_000 };
/** How long aborted work may take to notice. */
const ABORTED_MS = 1_000;

interface Delayed {
  readonly at: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Keys that wait for work, each at most once, first come, first served. A key that is added while it is worked on comes
 * again afterwards. Delays and failures are per key. `start` and `stop` are idempotent; what is added before `start` waits.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  /** Ready keys, and since when. A Map keeps the order. */
  readonly #ready = new Map<string, number>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #running = new Map<string, Promise<void>>();
  /** Added while they were worked on. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #aborting = new AbortController();
  #state: 'new' | 'started' | 'stopped' = 'new';
  #stopping: Promise<boolean> | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Keys that could be worked on if there were more hands. */
  get depth(): number {
    return this.#ready.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Keys whose last work failed. */
  get failing(): number {
    return this.#failures.size;
  }

  start(): void {
    if (this.#state === 'new') this.#state = 'started';
    this.#next();
  }

  /** As soon as possible, whatever delay or failure there was. */
  add(key: string): void {
    if (this.#state === 'stopped') return;
    this.#undelay(key);
    if (this.#running.has(key)) this.#again.add(key);
    else if (!this.#ready.has(key)) this.#ready.set(key, this.#clock.monotonic());
    this.#next();
  }

  /** After `ms` milliseconds, unless it comes sooner for another reason. */
  addAfter(key: string, ms: number): void {
    if (this.#state === 'stopped' || this.#ready.has(key)) return;
    const at = this.#clock.monotonic() + ms;
    const delayed = this.#delayed.get(key);
    if (delayed && delayed.at <= at) return;
    this.#undelay(key);
    this.#delayed.set(key, { at, timer: setTimeout(() => this.add(key), ms) });
  }

  /** The key is of no interest any more: its failures and delays are forgotten. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#undelay(key);
    this.#ready.delete(key);
    this.#again.delete(key);
  }

  /**
   * Takes no more work, and waits up to `drainMs` milliseconds for what is under way; then that is aborted.
   * True when all work ended by itself.
   */
  stop(drainMs = 5_000): Promise<boolean> {
    this.#stopping ??= this.#stop(drainMs);
    return this.#stopping;
  }

  /** Stops, and aborts what is under way at once: for who must not work any more. */
  async abort(reason: Error): Promise<void> {
    this.#aborting.abort(reason);
    await this.stop(0);
  }

  async #stop(drainMs: number): Promise<boolean> {
    this.#state = 'stopped';
    for (const key of [...this.#delayed.keys()]) this.#undelay(key);
    this.#ready.clear();
    if (await this.#settles(drainMs)) return true;
    this.#aborting.abort(new Error('The queue has stopped'));
    await this.#settles(ABORTED_MS);
    return false;
  }

  async #settles(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const done = Promise.all(this.#running.values()).then(() => true);
    const inTime = await Promise.race([done, late]);
    clearTimeout(timer);
    return inTime;
  }

  #undelay(key: string): void {
    clearTimeout(this.#delayed.get(key)?.timer);
    this.#delayed.delete(key);
  }

  #next(): void {
    const { concurrency, onTurn } = this.#options;
    if (this.#state !== 'started') return;
    for (const [key, since] of this.#ready) {
      if (this.#running.size >= concurrency) return;
      this.#ready.delete(key);
      onTurn?.(key, this.#clock.monotonic() - since);
      this.#running.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    const { handle, onFailure, backoff = BACKOFF, random = Math.random } = this.#options;
    try {
      const againMs = await handle(key, this.#aborting.signal);
      this.#failures.delete(key);
      if (againMs !== null) this.addAfter(key, againMs);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      const waitMs = backoffMs(failures, backoff, random);
      this.#failures.set(key, failures + 1);
      onFailure(key, error, waitMs);
      this.addAfter(key, waitMs);
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.add(key);
      else this.#next();
    }
  }
}
