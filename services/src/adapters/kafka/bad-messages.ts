import type { Topic } from '../../jobs/messages.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';

/** Between two lines in the log about what is the same trouble; milliseconds. */
const QUIET_MS = 60_000;

/** Counts what is no message of ours, and says so once in a while: somebody else writes to our topics. */
export class BadMessages {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #counter: Counter;
  #toldAt = -Infinity;
  #untold = 0;

  constructor(logger: Logger, clock: Clock, counter: Counter) {
    this.#logger = logger;
    this.#clock = clock;
    this.#counter = counter;
  }

  found(topic: Topic, partition: number, offset: number): void {
    this.#counter.add(1, { topic });
    this.#untold++;
    const now = this.#clock.monotonic();
    if (now - this.#toldAt < QUIET_MS) return;
    this.#logger.warn('bus skips what is no message', { topic, partition, offset, count: this.#untold });
    this.#toldAt = now;
    this.#untold = 0;
  }
}
