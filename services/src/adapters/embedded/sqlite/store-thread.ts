import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../ports/clock.ts';
import { StoreUnavailableError, type StoreOptions } from '../../../ports/job-store.ts';
import type { Logger } from '../../../ports/logger.ts';
import { CellReader } from './cells.ts';
import {
  laneOf,
  type Cell,
  type Command,
  type FromThread,
  type Lane,
  type Operation,
  type Reply,
  type ThreadSetup,
  type ToThread,
} from './protocol.ts';
import { StoreClock } from './store-clock.ts';

/** Items that may wait in each lane. Beyond that the store says no, rather than filling the memory. */
export const MAX_IN_FLIGHT = 100_000;
/** What a stop waits for work in hand; then the thread is ended. */
const STOP_MS = 10_000;
/** The thread makes much garbage that is dead at once, and little else. A young heap of this size keeps it small. */
const RESOURCES = { maxYoungGenerationSizeMb: 16 };

export interface ThreadOptions extends StoreOptions {
  readonly file: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** One thing to ask of the thread. `read` makes the answer of the cells that come back. */
export interface Call<T> {
  readonly operation: Operation;
  readonly cells: readonly Cell[];
  readonly items: number;
  readonly read: (reader: CellReader, now: number) => T;
}

interface Pending {
  readonly lane: Lane;
  readonly items: number;
  now: number;
  answer(cells: readonly Cell[], now: number): void;
  fail(error: unknown): void;
}

/** The caller's end of the thread that owns the file. Calls made in one turn of the event loop travel as one message. */
export class StoreThread {
  readonly #options: ThreadOptions;
  readonly #clock: StoreClock;
  #worker: Worker | null = null;
  /** Why there is no thread, when there is none. */
  #down = 'the store is not started';
  /** Why the thread could not do what it was asked last, when it could not. */
  #failing: string | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #outbox: Omit<Command, 'times'>[] = [];
  readonly #pending = new Map<number, Pending>();
  #inFlight: Record<Lane, number> = { main: 0, lists: 0 };
  #calls = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#clock = new StoreClock(options.clock);
  }

  trouble(): string | null {
    if (this.#stopping) return 'the store is stopping';
    return this.#worker ? this.#failing : this.#down;
  }

  /** Whether the thread has the file, and can be asked. */
  isOpen(): boolean {
    return this.#worker !== null;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#clock.read().now;
  }

  clockTrouble(): string | null {
    return this.#clock.trouble();
  }

  /** What a sweep found: when the results that are left begin to expire; null: there are none. */
  noteNextExpiry(expiresAt: number | null): void {
    this.#clock.skipTo(expiresAt === null ? null : expiresAt - this.#options.retentionMs);
  }

  /** Rejects with `StoreUnavailableError` when the file cannot be had. Can be called again then, or after a stop. */
  start(): Promise<void> {
    if (this.#stopping) return this.#stopping.then(() => this.start());
    this.#starting ??= this.#open().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    });
    return this.#starting;
  }

  async #open(): Promise<void> {
    const { file, retentionMs, sharedCache, reuseIterations, clock, logger } = this.#options;
    const setup: ThreadSetup = {
      file,
      retentionMs,
      sharedCache,
      reuseIterations,
      now: Math.floor(clock.now()),
    };
    const entry = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
    const worker = new Worker(entry, {
      workerData: setup,
      name: 'hashcluster-store',
      resourceLimits: RESOURCES,
    });
    await new Promise<void>((resolve, reject) => {
      let reason = 'the thread of the store ended';
      worker.on('error', (error) => {
        reason = `the thread of the store failed: ${String(error)}`;
        logger.error('store thread failed', { file, error });
      });
      worker.on('exit', () => {
        this.#ended(worker, reason);
        reject(new StoreUnavailableError(reason));
      });
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'replies') this.#settle(message.replies, message.trouble);
        if (message.kind === 'damaged') for (const fact of message.facts) this.#options.onDamaged?.(fact);
        if (message.kind === 'refused') reason = message.reason;
        if (message.kind !== 'ready') return;
        this.#worker = worker;
        this.#failing = null;
        const { clock: kept, ...opened } = message.opened;
        if (kept) this.#clock.resume(kept);
        logger.info('store opened', { file, ...opened });
        this.#note(message.opened.unwritable);
        resolve();
      });
    });
  }

  /** Waits for what is in hand, then gives the file back. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close().finally(() => (this.#stopping = null));
    return this.#stopping;
  }

  async #close(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (!this.#worker) return;
    this.#flush();
    this.#worker.postMessage({ kind: 'close', times: this.#clock.read() } satisfies ToThread);
    const timer = setTimeout(() => {
      this.#options.logger.warn('store did not stop in time', {
        file: this.#options.file,
        waitedMs: STOP_MS,
      });
      void this.terminate();
    }, STOP_MS);
    await new Promise((resolve) => this.#worker!.once('exit', resolve));
    clearTimeout(timer);
  }

  /** Ends the thread at once, whatever it is doing, like a crash. What is in hand fails. */
  async terminate(): Promise<void> {
    await this.#worker?.terminate();
  }

  /** Rejects with `StoreUnavailableError`; what was asked may have happened all the same. */
  call<T>({ operation, cells, items, read }: Call<T>): Promise<T> {
    if (!this.#worker || this.#stopping) {
      return Promise.reject(new StoreUnavailableError(this.trouble() ?? this.#down));
    }
    const lane = laneOf(operation);
    if (this.#inFlight[lane] + items > MAX_IN_FLIGHT) {
      const most = MAX_IN_FLIGHT.toLocaleString('en');
      const what = lane === 'lists' ? 'rows of lists wait to be read' : "items wait for the store's disk";
      return Promise.reject(new StoreUnavailableError(`more than ${most} ${what}`));
    }
    return new Promise((resolve, reject) => {
      const call = ++this.#calls;
      const answer = (found: readonly Cell[], now: number): void => resolve(read(new CellReader(found), now));
      this.#pending.set(call, { lane, items, now: 0, answer, fail: reject });
      this.#inFlight[lane] += items;
      if (this.#outbox.push({ call, operation, cells, items }) === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#outbox;
    if (waiting.length === 0 || !this.#worker) return;
    this.#outbox = [];
    const times = this.#clock.read();
    const commands = waiting.map((command) => ({ ...command, times }));
    for (const { call } of commands) this.#pending.get(call)!.now = times.now;
    this.#worker.postMessage({ kind: 'commands', commands } satisfies ToThread);
  }

  #settle(replies: readonly Reply[], trouble: string | null): void {
    for (const reply of replies) {
      const pending = this.#pending.get(reply.call)!;
      this.#pending.delete(reply.call);
      this.#inFlight[pending.lane] -= pending.items;
      if ('failure' in reply) {
        pending.fail(new StoreUnavailableError(reply.failure));
        continue;
      }
      try {
        pending.answer(reply.cells, pending.now);
      } catch (error) {
        pending.fail(error);
      }
    }
    this.#note(trouble);
  }

  /** Says once when something begins to fail, and once when it works again. */
  #note(failure: string | null): void {
    const { logger, file } = this.#options;
    const failed = this.#failing;
    this.#failing = failure;
    if (failure !== null && failed === null)
      logger.error('store cannot do what it is asked', { file, failure });
    if (failure === null && failed !== null) logger.info('store works again', { file });
  }

  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#starting = null;
    this.#down = this.#stopping ? 'the store is stopped' : reason;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    this.#outbox = [];
    this.#inFlight = { main: 0, lists: 0 };
    for (const pending of lost) pending.fail(new StoreUnavailableError(this.#down));
    if (this.#stopping) return;
    this.#options.logger.error('store thread ended', { file: this.#options.file, reason, lost: lost.length });
  }
}
