import type { Clock } from '../../ports/clock.ts';

/** The event loop belongs to everybody: after this many milliseconds of work on bodies, the others get their turn. */
const SLICE_MS = 5;

/**
 * How much of each turn of the event loop may be spent on bodies, for all bodies together. It is measured by the clock:
 * many chunks and many bodies can come in one turn, and what a byte of them costs differs by orders of magnitude.
 */
export class BodySlices {
  readonly #clock: Clock;
  #spentMs = 0;
  #isTurnAwaited = false;
  #deferred: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing more is to be done in this turn. */
  get isOver(): boolean {
    return this.#spentMs >= SLICE_MS;
  }

  /** When a step begins, for `charge`. */
  now(): number {
    return this.#clock.monotonic();
  }

  /** Charges this turn for a step that began at `since` and has just ended. Returns now. */
  charge(since: number): number {
    const now = this.#clock.monotonic();
    this.#spentMs += now - since;
    if (this.#spentMs > 0) this.#awaitTurn();
    return now;
  }

  /** Goes on in one of the next turns; first come, first served. */
  defer(goOn: () => void): void {
    this.#deferred.push(goOn);
    this.#awaitTurn();
  }

  #awaitTurn(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => this.#beginTurn());
  }

  #beginTurn(): void {
    this.#isTurnAwaited = false;
    this.#spentMs = 0;
    const deferred = this.#deferred;
    this.#deferred = [];
    let done = 0;
    while (done < deferred.length && !this.isOver) deferred[done++]!();
    if (done === deferred.length) return;
    this.#deferred = [...deferred.slice(done), ...this.#deferred];
    this.#awaitTurn();
  }
}
