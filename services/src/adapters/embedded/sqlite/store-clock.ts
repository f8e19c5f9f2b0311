import type { Clock } from '../../../ports/clock.ts';

/** A wall clock that is behind or jumps by no more than this (milliseconds) is being adjusted, not wrong. */
const ADJUSTED_MS = 60_000;
/** A wall clock that was set back is believed when it has stayed so for this long; a jump is reported for as long. */
const BELIEVED_AFTER_MS = 3_600_000;
/** Results expire this much faster than time goes by, at most, until expiry has caught up with the clock. */
const CATCH_UP = 2;

/** What a command is dated by. Milliseconds. */
export interface Times {
  /** Since 1970: dates of jobs and results. */
  readonly now: number;
  /** How far expiry is behind `now`: a result has expired when its `expiresAt` is not after `now - lag`. */
  readonly lag: number;
  /** Goes with the monotonic clock alone, from the time of the start on, so that leases of earlier processes end: leases. */
  readonly monotonic: number;
}

/** What of the clock is kept in the file, so that a restart goes on from there. Milliseconds since 1970. */
export interface KeptClock {
  readonly now: number;
  readonly expiry: number;
}

/**
 * The store's clock. It follows the wall clock forward at once, and does not go back with it: until a wall clock that was
 * set back has stayed so for an hour, the monotonic clock carries the time on. Expiry is a clock of its own, which goes
 * at most twice as fast as time goes by, also across restarts: a machine in a wrong year, or a clock that jumps, deletes
 * no result that was not going to expire soon, and after a long pause expiry catches up by and by.
 */
export class StoreClock {
  readonly #clock: Clock;
  #now: number;
  #monotonic: number;
  #expiry: number;
  /** What leases are ahead of the monotonic clock. */
  #leases: number;
  /** Since when the wall clock is behind; null while it is not. */
  #behindSince: number | null = null;
  /** The last jump forward, and when it was. */
  #jump: { readonly byMs: number; readonly at: number } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#now = clock.now();
    this.#monotonic = clock.monotonic();
    this.#expiry = this.#now;
    this.#leases = this.#now - this.#monotonic;
  }

  /** Goes on from what the file says. */
  resume({ now, expiry }: KeptClock): void {
    this.#now = Math.max(now, this.#clock.now());
    this.#monotonic = this.#clock.monotonic();
    this.#expiry = Math.min(expiry, this.#now);
    this.#leases = this.#now - this.#monotonic;
    this.#behindSince = null;
    this.#jump = null;
  }

  read(): Times {
    const monotonic = this.#clock.monotonic();
    const passed = monotonic - this.#monotonic;
    const carried = this.#now + passed;
    const wall = this.#clock.now();
    if (wall - carried > ADJUSTED_MS) this.#jump = { byMs: wall - carried, at: monotonic };
    this.#now = this.#follow(wall, carried, monotonic);
    this.#monotonic = monotonic;
    this.#expiry = Math.min(this.#now, this.#expiry + CATCH_UP * passed);
    const now = Math.floor(this.#now);
    return { now, lag: now - Math.floor(this.#expiry), monotonic: Math.floor(monotonic + this.#leases) };
  }

  #follow(wall: number, carried: number, monotonic: number): number {
    if (carried - wall <= ADJUSTED_MS) {
      this.#behindSince = null;
      return Math.max(wall, this.#now);
    }
    this.#behindSince ??= monotonic;
    if (monotonic - this.#behindSince < BELIEVED_AFTER_MS) return carried;
    this.#behindSince = null;
    return wall;
  }

  /** The earliest that any result can have been used last; null: there are none. Expiry need not go through what is before. */
  skipTo(firstUse: number | null): void {
    this.#expiry = Math.min(this.#now, Math.max(this.#expiry, firstUse ?? this.#now));
  }

  /** What is wrong with the wall clock; null: nothing. */
  trouble(): string | null {
    const { now } = this.read();
    const behind = Math.round((now - this.#clock.now()) / 1_000);
    if (this.#behindSince !== null)
      return `The clock of this machine was set back by ${behind} s: until that has lasted an hour, time goes on from where it was`;
    if (this.#jump === null || this.#monotonic - this.#jump.at >= BELIEVED_AFTER_MS) return null;
    const seconds = Math.round(this.#jump.byMs / 1_000);
    return `The clock of this machine jumped ahead by ${seconds} s, or it was asleep: results are kept for longer`;
  }
}
