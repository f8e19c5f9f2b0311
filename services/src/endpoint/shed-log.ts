import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Counter } from '../ports/metrics.ts';

/** A line per reason and second, however many clients come. */
const EVERY_MS = 1_000;

/** Counts clients that are turned away, and logs them without letting them fill the logs. */
export class ShedLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counter: Counter;
  readonly #reasons = new Map<string, { loggedAt: number; unlogged: number }>();

  constructor(clock: Clock, logger: Logger, counter: Counter) {
    this.#clock = clock;
    this.#logger = logger;
    this.#counter = counter;
  }

  /** One more, for one of a few fixed reasons. */
  note(reason: string): void {
    this.#counter.add(1, { reason });
    const now = this.#clock.monotonic();
    const known = this.#reasons.get(reason) ?? { loggedAt: -Infinity, unlogged: 0 };
    known.unlogged++;
    this.#reasons.set(reason, known);
    if (now - known.loggedAt < EVERY_MS) return;
    this.#logger.info('Clients are turned away', { reason, clients: known.unlogged });
    known.loggedAt = now;
    known.unlogged = 0;
  }
}
