import type { Topic, Topics } from '../jobs/messages.ts';
import type { Bus } from '../ports/bus.ts';
import type { Logger } from '../ports/logger.ts';
import type { Counter } from '../ports/metrics.ts';

/** Publishing that may be under way at once; while the bus hangs, more than that is lost at once. */
const MAX_UNDER_WAY = 1_000;

export interface TellerOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  /** Messages that may not have been taken, by topic. */
  readonly lost: Counter;
}

/**
 * Publishes without being waited for. Never fails: nothing depends on the bus, and whoever tells something has better
 * to do than to wait for it. Says in the log when messages begin to be lost, and when they are taken again.
 */
export class Teller {
  readonly #options: TellerOptions;
  readonly #underWay = new Set<Promise<void>>();
  #lost = 0;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  tell<T extends Topic>(topic: T, messages: readonly Topics[T][]): void {
    if (messages.length === 0) return;
    if (this.#underWay.size >= MAX_UNDER_WAY) {
      this.#lose(topic, messages.length, new Error(`${MAX_UNDER_WAY} messages are under way already`));
      return;
    }
    const publishing = this.#publish(topic, messages).finally(() => this.#underWay.delete(publishing));
    this.#underWay.add(publishing);
  }

  /** Waits for what is being told just now. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): Promise<void> {
    const { bus, logger } = this.#options;
    try {
      await bus.publish(topic, messages);
      if (this.#lost > 0) logger.info('The bus takes messages again', { lost: this.#lost });
      this.#lost = 0;
    } catch (error) {
      this.#lose(topic, messages.length, error);
    }
  }

  #lose(topic: Topic, count: number, error: unknown): void {
    const { logger, lost } = this.#options;
    lost.add(count, { topic });
    if (this.#lost === 0) logger.warn('Messages are lost: the bus does not take them', { topic, error });
    this.#lost += count;
  }
}
