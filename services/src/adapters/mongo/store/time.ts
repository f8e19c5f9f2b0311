import type { Clock } from '../../../ports/clock.ts';

/** The store's clock, which is the database's. */
export interface StoreTime {
  /** Milliseconds since 1970, as far as this process knows the database's clock. */
  now(): number;
  /** The same, as the database evaluates it while it executes a command. */
  readonly expression: unknown;
}

/** Heartbeats that are remembered. A reply that was read late makes the database seem behind, so the largest counts. */
const SAMPLES = 8;

/** The primary's clock by what its heartbeats say. Leases are decided by the database alone, with `expression`. */
export class DatabaseTime implements StoreTime {
  readonly expression = '$$NOW';
  readonly #clock: Pick<Clock, 'now'>;
  #primary: string | null = null;
  #offsets: number[] = [];
  #offset = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  now(): number {
    return Math.floor(this.#clock.now() + this.#offset);
  }

  /** What the server at `address` says its time is. Another primary has another clock. */
  learn(address: string, localTime: Date): void {
    if (address !== this.#primary) this.#offsets = [];
    this.#primary = address;
    this.#offsets = [...this.#offsets, localTime.getTime() - this.#clock.now()].slice(-SAMPLES);
    this.#offset = Math.max(...this.#offsets);
  }
}
