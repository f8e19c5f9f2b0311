import type { Topic } from '../jobs/messages.ts';
import type { Bus, Handler, SubscribeOptions, Subscription } from '../ports/bus.ts';
import type { Logger } from '../ports/logger.ts';
import { retry } from './retry.ts';

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

export interface ListenerOptions<T extends Topic> extends SubscribeOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly topic: T;
  readonly handler: Handler<T>;
}

/**
 * A subscription that can be had although the bus is away: it is made in the background, again and again until it
 * succeeds, for nothing depends on the bus. Used once: what is closed stays closed.
 */
export class Listener<T extends Topic> implements Subscription {
  readonly #options: ListenerOptions<T>;
  readonly #closed = new AbortController();
  #subscription: Subscription | null = null;
  #paused = false;
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: ListenerOptions<T>) {
    this.#options = options;
  }

  /** Whether messages can come. */
  get listening(): boolean {
    return this.#subscription !== null;
  }

  /** Resolves when the first attempt is over, whatever came of it. */
  start(): Promise<void> {
    this.#starting ??= new Promise((resolve) => {
      void this.#keepTrying(resolve);
    });
    return this.#starting;
  }

  pause(): void {
    this.#paused = true;
    this.#subscription?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#subscription?.resume();
  }

  close(): Promise<void> {
    this.#closed.abort(new Error('the listener is closed'));
    this.#closing ??= this.#subscription?.close() ?? Promise.resolve();
    return this.#closing;
  }

  async #keepTrying(firstIsOver: () => void): Promise<void> {
    const { logger, topic } = this.#options;
    const { signal } = this.#closed;
    const attempt = async (number: number): Promise<number> => {
      await this.#subscribe().finally(firstIsOver);
      return number;
    };
    try {
      const failed = await retry(attempt, {
        budgetMs: Infinity,
        ...{ baseMs: FIRST_WAIT_MS, capMs: LONGEST_WAIT_MS, signal },
        onRetry: (error, number) => {
          if (number === 0) logger.warn('A topic cannot be listened to yet', { topic, error });
        },
      });
      if (failed > 0) logger.info('A topic is listened to at last', { topic });
    } catch (error) {
      // Only closing ends the attempts.
      if (!signal.aborted) logger.error('A topic is not listened to', { topic, error });
    }
  }

  async #subscribe(): Promise<void> {
    const { bus, topic, group, maxBatch, handler } = this.#options;
    const subscription = await bus.subscribe(topic, { group, maxBatch }, handler);
    if (this.#closed.signal.aborted) return subscription.close();
    if (this.#paused) subscription.pause();
    this.#subscription = subscription;
  }
}
