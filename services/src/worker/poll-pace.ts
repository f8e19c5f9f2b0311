/** A worker that has found something looks again after this many milliseconds. */
const QUICK_MS = 100;

/**
 * How long a worker waits until it asks the store again: hardly while it finds work, then twice as long each time that it
 * finds nothing. Nobody who is idle asks often; a worker that joins finds at once what others give back for it.
 */
export class PollPace {
  readonly #longestMs: number;
  #foundNothing = 0;
  #found = 0;

  /** `longestMs`: the longest wait, in milliseconds; half of that while the bus is away, when nothing else brings work. */
  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** The store was asked and had so many jobs. */
  polled(jobs: number): void {
    this.#found += jobs;
  }

  /** Milliseconds until the store is asked the next time. */
  nextMs(busIsAway: boolean): number {
    this.#foundNothing = this.#found > 0 ? 0 : this.#foundNothing + 1;
    this.#found = 0;
    const longest = busIsAway ? this.#longestMs / 2 : this.#longestMs;
    return Math.min(longest, QUICK_MS * 2 ** Math.min(this.#foundNothing, 20));
  }
}
