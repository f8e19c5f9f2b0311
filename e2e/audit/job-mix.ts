import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { iterate } from '../chaos/jobs.ts';
import { Random } from '../faults/random.ts';
import type { Asked } from './history.ts';
import { readPoints, STRIDE } from './long-chain.ts';

/** Points of the short chain, all of them kept: a part of it is a job whose answer costs nothing to know. */
const DENSE_POINTS = 300_000;
const DIGEST_BYTES = 64;
const SMALL = { least: 2_001, most: 3_000 };
const TURN = 10_000;

/** The right answers of jobs of all sizes, by node:crypto alone. Made once, for all runs of a process. */
export class Reference {
  readonly #dense: Buffer;
  readonly #long: readonly string[];

  private constructor(dense: Buffer, long: readonly string[]) {
    this.#dense = dense;
    this.#long = long;
  }

  /** Takes a second of hashing. */
  static async make(): Promise<Reference> {
    const dense = Buffer.alloc(DENSE_POINTS * DIGEST_BYTES);
    let value = hash('sha512', 'hashcluster/e2e/dense-chain', 'buffer');
    for (let i = 0; i < DENSE_POINTS; i++) {
      value.copy(dense, i * DIGEST_BYTES);
      value = hash('sha512', value, 'buffer');
      if (i % TURN === 0) await nextTurn();
    }
    return new Reference(dense, readPoints());
  }

  /** A job of its own data: its answer is computed here, so it must be short. */
  ofData(data: string, iterations: number): Asked {
    const chain = hash('sha512', data);
    const name = `${data}×${iterations}`;
    return { name, body: { data, iterations }, chain, answer: iterate(chain, iterations - 1) };
  }

  /** A part of the dense chain of up to 300,000 iterations. */
  middling(from: number, iterations: number): Asked {
    return this.#part(this.#denseAt(from), this.#denseAt(from + iterations - 1), iterations);
  }

  /** A part of the long chain: so many strides of 250,000 iterations after the point `from`. */
  long(from: number, strides: number): Asked {
    return this.#part(this.#long[from]!, this.#long[from + strides]!, strides * STRIDE + 1);
  }

  get longPoints(): number {
    return this.#long.length;
  }

  #denseAt(index: number): string {
    return this.#dense.toString('hex', index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }

  #part(chain: string, answer: string, iterations: number): Asked {
    return {
      name: `${chain.slice(0, 12)}×${iterations}`,
      body: { digest: chain, iterations },
      chain,
      answer,
    };
  }
}

/** Of so many jobs, `long.count` are long; the others are short or middling. */
const CYCLE = 32;

export interface MixOptions {
  readonly seed: string;
  readonly reference: Reference;
  /** Of 32 jobs, this many are long, of up to so many strides of 250,000 iterations. */
  readonly long: { readonly count: number; readonly strides: number };
}

/** Makes jobs of mixed sizes by a seeded random sequence: most are short, a few take seconds. */
export class JobMix {
  readonly #options: MixOptions;
  readonly #random: Random;
  #made = 0;

  constructor(options: MixOptions) {
    this.#options = options;
    this.#random = new Random(`${options.seed}/jobs`);
  }

  next(): Asked {
    const { seed, reference, long } = this.#options;
    const n = this.#made++;
    const random = this.#random;
    if ((n * 7) % CYCLE < long.count) return this.long();
    // Every second one is done by the endpoint itself, and each size up to 60,000 is as likely as the next by its logarithm.
    if (n % 2 === 0) return reference.ofData(`${seed}/${n}`, random.whole(1, 400));
    const iterations = Math.round(2 * 30_000 ** random.next());
    return reference.middling(random.whole(0, DENSE_POINTS - iterations), iterations);
  }

  /** A job that is just too large for an endpoint to do it itself. */
  small(): Asked {
    const iterations = this.#random.whole(SMALL.least, SMALL.most);
    return this.#options.reference.middling(this.#random.whole(0, DENSE_POINTS - iterations), iterations);
  }

  /** A job that takes a while: `least` to `longest` strides of 250,000 iterations. */
  long(longest = this.#options.long.strides, least = Math.ceil(longest / 2)): Asked {
    const { reference } = this.#options;
    const strides = this.#random.whole(least, longest);
    return reference.long(this.#random.whole(0, reference.longPoints - 1 - strides), strides);
  }
}
