import type { Logger } from '../../ports/logger.ts';
import { backoffMs } from '../../runtime/retry.ts';
import type { Held, Inbox } from './inbox.ts';

const RESTS = { baseMs: 50, capMs: 5_000 };

export interface DelivererOptions<M> {
  readonly inbox: Inbox<M>;
  readonly maxBatch: number;
  readonly logger: Logger;
  readonly handle: (messages: readonly M[], commit: () => Promise<void>) => Promise<void>;
  /** Something was committed. */
  readonly onCommit: () => void;
  readonly onDelivered: (count: number) => void;
}

/** Hands what waits in an inbox to a handler, one batch at a time. A batch whose handler fails comes again after a rest. */
export class Deliverer<M> {
  readonly #options: DelivererOptions<M>;
  #waiters: (() => void)[] = [];
  #working: Promise<void> | null = null;
  #resting: NodeJS.Timeout | null = null;
  #failures = 0;
  #paused = false;
  #closed = false;

  constructor(options: DelivererOptions<M>) {
    this.#options = options;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.look();
  }

  /** Whether nothing more should be fetched now. */
  get full(): boolean {
    return !this.#closed && (this.#paused || this.#options.inbox.size >= this.#options.maxBatch);
  }

  /** False when there is no room after `ms`; true when there is, or nothing is wanted any more. */
  async room(ms: number): Promise<boolean> {
    if (!this.full) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((each) => each !== wake);
        resolve(false);
      }, ms);
      const wake = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#waiters.push(wake);
    });
  }

  /** Something may be there to do, or there may be room. */
  look(): void {
    if (!this.#paused && !this.#closed && !this.#working && !this.#resting) this.#next();
    if (this.full) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #next(): void {
    const held = this.#options.inbox.take(this.#options.maxBatch);
    if (!held) return;
    this.#working = this.#work(held).finally(() => {
      this.#working = null;
      this.look();
    });
  }

  async #work(held: Held<M>): Promise<void> {
    const { inbox, handle, onCommit, onDelivered } = this.#options;
    const done = { committed: false };
    const commit = async (): Promise<void> => {
      done.committed = true;
      inbox.commit(held);
      onCommit();
    };
    try {
      await handle(held.messages, commit);
      this.#failures = 0;
      onDelivered(held.messages.length);
    } catch (error) {
      if (!done.committed) inbox.giveBack(held);
      this.#rest(held.messages.length, !done.committed, error);
    }
  }

  #rest(messages: number, again: boolean, error: unknown): void {
    // Never at once: who fails at once would fail without end.
    const restMs = RESTS.baseMs / 2 + backoffMs(this.#failures++, RESTS, Math.random);
    const fields = { messages, again, failures: this.#failures, restMs: Math.round(restMs) };
    this.#options.logger.warn('bus handler failed', { ...fields, error });
    if (this.#closed) return;
    this.#resting = setTimeout(() => {
      this.#resting = null;
      this.look();
    }, restMs);
  }

  /** Waits for the handler; nothing is handed over any more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#resting) clearTimeout(this.#resting);
    this.#resting = null;
    this.look();
    await this.#working;
  }
}
