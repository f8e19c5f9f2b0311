import { hash } from 'node:crypto';

/** Random numbers that are the same for the same seed. Not for secrets. */
export class Random {
  readonly #seed: string;
  #drawn = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** 0 … 1, without 1. */
  next(): number {
    return Buffer.from(hash('sha256', `${this.#seed}/${this.#drawn++}`), 'hex').readUInt32BE() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** One of these. */
  pick<T>(values: readonly T[]): T {
    return values[this.whole(0, values.length - 1)]!;
  }
}
