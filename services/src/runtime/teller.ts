import type { Topic, Topics } from '../jobs/messages.ts';
import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Counter } from '../ports/metrics.ts';
import { systemClock } from './system-clock.ts';

/** Publishing that may be under way at once; while the bus hangs, more than that is lost at once. */
const MAX_UNDER_WAY = 1_000;

/** Between two lines in the log about the same topic; milliseconds. */
const QUIET_MS = 60_000;

export interface TellerOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  /** Messages that may not have been taken, by topic. */
  readonly lost: Counter;
  readonly clock?: Pick<Clock, 'monotonic'>;
}

/** Losses of a topic, from the first to the line that says that they are over. */
interface Losses {
  /** In all, and since the last line. */
  total: number;
  untold: number;
  toldAt: number;
  lostAt: number;
}

/**
 * Publishes without being waited for. Never fails: nothing depends on the bus, and whoever tells something has better
 * to do than to wait for it. Says in the log when messages of a topic are lost, and when they have been taken for a
 * minute again: one line per topic and minute.
 */
export class Teller {
  readonly #options: TellerOptions;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #underWay = new Set<Promise<void>>();
  readonly #losses = new Map<Topic, Losses>();

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
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
    try {
      await this.#options.bus.publish(topic, messages);
      this.#taken(topic);
    } catch (error) {
      this.#lose(topic, messages.length, error);
    }
  }

  #taken(topic: Topic): void {
    const losses = this.#losses.get(topic);
    if (!losses) return;
    const now = this.#clock.monotonic();
    if (now - Math.max(losses.toldAt, losses.lostAt) < QUIET_MS) return;
    this.#losses.delete(topic);
    this.#options.logger.info('The bus takes messages again', { topic, lost: losses.total });
  }

  #lose(topic: Topic, count: number, error: unknown): void {
    const { logger, lost } = this.#options;
    lost.add(count, { topic });
    const now = this.#clock.monotonic();
    const losses = this.#losses.get(topic) ?? { total: 0, untold: 0, toldAt: -Infinity, lostAt: now };
    this.#losses.set(topic, losses);
    losses.total += count;
    losses.untold += count;
    losses.lostAt = now;
    if (now - losses.toldAt < QUIET_MS) return;
    logger.warn('Messages are lost: the bus does not take them', { topic, lost: losses.untold, error });
    losses.untold = 0;
    losses.toldAt = now;
  }
}
