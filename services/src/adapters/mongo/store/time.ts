import type { Clock } from '../../../ports/clock.ts';

/** The store's clock, which is the database's. */
export interface StoreTime {
  /** Milliseconds since 1970, as far as this process knows the database's clock. */
  now(): number;
  /** The same for expiry: while clocks disagree the earlier one counts, so that a wrong clock hides no result. */
  expiryNow(): number;
  /** The same, as the database evaluates it while it executes a command. */
  readonly expression: unknown;
  /** Why clocks cannot be trusted; null while they agree. */
  trouble(): string | null;
}

/** Heartbeats that are remembered. A reply that was read late makes the database seem behind, so the largest counts. */
const SAMPLES = 8;

/** Clocks that differ by more milliseconds than this disagree: one of them is wrong, and nobody knows which. */
const MOST_SKEW_MS = 60_000;

/**
 * The primary's clock by what its heartbeats say, carried on by this process's monotonic clock: a step of the wall clock
 * here changes nothing. Leases and deletion are decided by the database alone, with `expression`.
 */
export class DatabaseTime implements StoreTime {
  readonly expression = '$$NOW';
  readonly #clock: Clock;
  #primary: string | null = null;
  /** What the database's clock was ahead of the monotonic clock at each of the last heartbeats. */
  #offsets: number[] = [];
  #offset: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (this.#offset === null) return Math.floor(this.#clock.now());
    return Math.floor(this.#clock.monotonic() + this.#offset);
  }

  expiryNow(): number {
    const now = this.now();
    return this.#skew() > MOST_SKEW_MS ? Math.min(now, Math.floor(this.#clock.now())) : now;
  }

  trouble(): string | null {
    const skew = this.#skew();
    if (skew <= MOST_SKEW_MS) return null;
    const [theirs, ours] = [this.now(), this.#clock.now()].map((ms) => new Date(ms).toISOString());
    const seconds = Math.round(skew / 1_000);
    return `The clocks of MongoDB (${theirs}) and of this process (${ours}) disagree by ${seconds} s: expired results are not deleted`;
  }

  /** What the server at `address` says its time is. Another primary has another clock. */
  learn(address: string, localTime: Date): void {
    if (address !== this.#primary) this.#offsets = [];
    this.#primary = address;
    this.#offsets = [...this.#offsets, localTime.getTime() - this.#clock.monotonic()].slice(-SAMPLES);
    this.#offset = Math.max(...this.#offsets);
  }

  #skew(): number {
    return Math.abs(this.now() - this.#clock.now());
  }
}
