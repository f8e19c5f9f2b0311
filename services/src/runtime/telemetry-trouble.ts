import type { DiagLogger } from '@opentelemetry/api';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { TELEMETRY_COMPONENT } from './log-export.ts';

const EVERY_MS = 10_000;
const MAX_DETAIL = 500;

/**
 * What OpenTelemetry complains about, such as a collector that is away, as warnings in our log: the first at once, then
 * at most one in ten seconds, with the number of those left out.
 */
export class TelemetryTrouble implements DiagLogger {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #quietUntil = -Infinity;
  #leftOut = 0;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger.child({ component: TELEMETRY_COMPONENT });
    this.#clock = clock;
  }

  error(message: string, ...details: unknown[]): void {
    this.#report(message, details);
  }

  warn(message: string, ...details: unknown[]): void {
    this.#report(message, details);
  }

  info(): void {
    // Chatter about what the SDK does.
  }

  debug(): void {
    // Chatter.
  }

  verbose(): void {
    // Chatter.
  }

  #report(message: string, details: readonly unknown[]): void {
    const now = this.#clock.monotonic();
    if (now < this.#quietUntil) {
      this.#leftOut++;
      return;
    }
    const detail = [message, ...details.map(String)].join(' ').slice(0, MAX_DETAIL);
    this.#logger.warn('Telemetry is in trouble', { detail, leftOut: this.#leftOut });
    this.#quietUntil = now + EVERY_MS;
    this.#leftOut = 0;
  }
}
