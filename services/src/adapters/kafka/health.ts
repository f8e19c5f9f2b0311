import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { reasonOf } from './within.ts';

/** A part that cannot be used is worth a line in the log after this time, in milliseconds: leaders come and go. */
const PARTLY_MS = 10_000;

/** Whether Kafka can be used, and since when not. Says so in the log when that changes, and not more. */
export class Health {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #since: number;
  #reason: string | null = 'Kafka has not been reached yet';
  #told = false;
  #partly: { readonly reason: string; readonly since: number; readonly told: boolean } | null = null;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  get trouble(): string | null {
    return this.#reason ?? this.#partly?.reason ?? null;
  }

  /** For how long Kafka has not been usable, in milliseconds; 0 while it is. */
  get downMs(): number {
    return this.#reason === null ? 0 : this.#clock.monotonic() - this.#since;
  }

  /** @param partly what cannot be used, although the rest can */
  up(partly: string | null): void {
    if (this.#told) {
      const seconds = Math.round(this.downMs / 1_000);
      this.#logger.info('Kafka can be used again', { seconds });
    }
    this.#reason = null;
    this.#told = false;
    this.#upPartly(partly);
  }

  #upPartly(reason: string | null): void {
    const before = this.#partly;
    if (reason === null) {
      if (before?.told) this.#logger.info('All of Kafka can be used again');
      this.#partly = null;
      return;
    }
    const now = this.#clock.monotonic();
    const since = before?.since ?? now;
    const tell = !before?.told && now - since >= PARTLY_MS;
    if (tell)
      this.#logger.warn('Part of Kafka cannot be used; jobs go on through the rest and the store', {
        reason,
      });
    this.#partly = {
      reason: `part of Kafka cannot be used: ${reason}`,
      since,
      told: tell || before?.told === true,
    };
  }

  down(error: unknown): void {
    if (this.#reason === null) this.#since = this.#clock.monotonic();
    this.#reason = `Kafka cannot be used: ${reasonOf(error)}`;
    if (!this.#told) this.#logger.warn('Kafka cannot be used; jobs go on through the store', { error });
    this.#told = true;
  }
}
