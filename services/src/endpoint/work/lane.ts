import { refuse } from '../problems.ts';

/** Lets a few calls of a kind run at once; the others wait in the order in which they came, so many and no more. */
export class Lane {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: { readonly maxRunning: number; readonly maxWaiting: number }) {
    this.#maxRunning = limits.maxRunning;
    this.#maxWaiting = limits.maxWaiting;
  }

  /** Runs it when it is its turn. Throws `overloaded` when too many wait, and what the call throws. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running++;
    else await this.#turn();
    try {
      return await call();
    } finally {
      // Whoever is next takes the place over.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting)
      refuse('overloaded', 'Too many lists are being read. Try again in a moment.');
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
