import { type Clock, systemClock } from '../runtime/clock.ts';

/** Answers that are remembered. One that was read late makes the server seem behind, so the largest offset counts. */
const SAMPLES = 16;

/**
 * The API server's clock, by the `Date` of its answers, carried on by the monotonic clock. The ages of Pods, Leases and
 * readings are measured by it: timestamps of objects are compared with the clock that made them, or one that is kept as
 * close to it by NTP as the nodes of a cluster have to be, and a step of this machine's clock changes nothing.
 */
export class ServerClock implements Clock {
  readonly #clock: Clock;
  /** What the server was ahead of the monotonic clock at each of the last answers. */
  #offsets: number[] = [];
  #offset: number;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  /** Milliseconds since 1970. Until the server has said anything, this machine's clock as it was at the start. */
  now(): number {
    return Math.round(this.#clock.monotonic() + this.#offset);
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  /** Takes in the `Date` header of an answer, which is in whole seconds. One that is no date says nothing. */
  learn(date: string | undefined): void {
    const ms = date === undefined ? NaN : Date.parse(date);
    if (Number.isNaN(ms)) return;
    this.#offsets = [...this.#offsets, ms - this.#clock.monotonic()].slice(-SAMPLES);
    this.#offset = Math.max(...this.#offsets);
  }
}
