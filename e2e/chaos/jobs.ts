import { hash } from 'node:crypto';

/** Jobs whose right answer is known. Small ones are all different; large ones share a few chains, computed once. */
const LARGE_CHAINS = 4;
const GRID = 10_000;
const LARGE_POINTS = 60;
const SMALL_LIMIT = 12_000;

export interface KnownJob {
  readonly data: string;
  readonly iterations: number;
}

/** Iterated SHA-512 by node:crypto, one after another: slow, and as independent of the service as can be. */
export function iterate(digest: string, steps: number): string {
  let value = Buffer.from(digest, 'hex');
  for (let i = 0; i < steps; i++) value = hash('sha512', value, 'buffer');
  return value.toString('hex');
}

/** Makes jobs by a seeded random sequence, and knows their digests. */
export class JobMaker {
  readonly #seed: string;
  #made = 0;
  readonly #large = new Map<string, string[]>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** The next job: three small ones, then a large one. */
  next(): KnownJob {
    const n = this.#made++;
    const random = this.#random(n);
    if (n % 4 !== 3)
      return { data: `${this.#seed}/small/${n}`, iterations: 1 + Math.floor(random ** 3 * SMALL_LIMIT) };
    const chain = Math.floor(random * LARGE_CHAINS * 1_000) % LARGE_CHAINS;
    return {
      data: `${this.#seed}/large/${chain}`,
      iterations: GRID * (1 + Math.floor(random * LARGE_POINTS)),
    };
  }

  /** The digest that the job must end with. */
  digestOf({ data, iterations }: KnownJob): string {
    const first = hash('sha512', data);
    if (!data.includes('/large/')) return iterate(first, iterations - 1);
    const points = this.#large.get(data) ?? [iterate(first, GRID - 1)];
    this.#large.set(data, points);
    while (points.length < iterations / GRID) points.push(iterate(points.at(-1)!, GRID));
    return points[iterations / GRID - 1]!;
  }

  /** 0 … 1, the same for the same seed and n. */
  #random(n: number): number {
    return Buffer.from(hash('sha256', `${this.#seed}/${n}`), 'hex').readUInt32BE() / 2 ** 32;
  }
}
