import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { reasonOf } from './within.ts';

/** Whether Kafka can be used, and since when not. Says so in the log when that changes, and not more. */
export class Health {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #since: number;
  #reason: string | null = 'Kafka has not been reached yet';
  #told = false;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  get trouble(): string | null {
    return this.#reason;
  }

  /** For how long Kafka has not been usable, in milliseconds; 0 while it is. */
  get downMs(): number {
    return this.#reason === null ? 0 : this.#clock.monotonic() - this.#since;
  }

  up(): void {
    if (this.#told) {
      const seconds = Math.round(this.downMs / 1_000);
      this.#logger.info('Kafka can be used again', { seconds });
    }
    this.#reason = null;
    this.#told = false;
  }

  down(error: unknown): void {
    if (this.#reason === null) this.#since = this.#clock.monotonic();
    this.#reason = `Kafka cannot be used: ${reasonOf(error)}`;
    if (!this.#told) this.#logger.warn('Kafka cannot be used; jobs go on through the store', { error });
    this.#told = true;
  }
}
