import type { Clock } from '../ports/clock.ts';

interface Window {
  count: number;
  /** By the monotonic clock. */
  readonly endsAt: number;
}

/**
 * Counts by key, in windows that begin with a key's first count. By the monotonic clock: a wall clock that steps back would
 * shut clients out for as long. Keeps what was counted in the last two windows.
 */
export class WindowCounts {
  readonly #windowMs: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #current = new Map<string, Window>();
  #previous = new Map<string, Window>();
  #turnsAt = -Infinity;

  constructor(windowMs: number, clock: Pick<Clock, 'monotonic'>) {
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  /** Adds to a key's count; returns what it is then. */
  add(key: string, units = 1): number {
    const now = this.#clock.monotonic();
    this.#turn(now);
    const known = this.#current.get(key) ?? this.#previous.get(key);
    if (known && known.endsAt > now) {
      known.count += units;
      return known.count;
    }
    this.#current.set(key, { count: units, endsAt: now + this.#windowMs });
    return units;
  }

  /** Milliseconds until a key is counted from 0 again. */
  leftMs(key: string): number {
    const known = this.#current.get(key) ?? this.#previous.get(key);
    return known ? Math.max(0, known.endsAt - this.#clock.monotonic()) : 0;
  }

  forget(key: string): void {
    this.#current.delete(key);
    this.#previous.delete(key);
  }

  clear(): void {
    this.#current.clear();
    this.#previous.clear();
  }

  /** What is in `previous` after a turn has begun at most a window before; what goes has ended. */
  #turn(now: number): void {
    if (now < this.#turnsAt) return;
    this.#previous = this.#current;
    this.#current = new Map();
    this.#turnsAt = now + this.#windowMs;
  }
}
