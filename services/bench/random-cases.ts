import { createCipheriv, createHash } from 'node:crypto';
import type { Cipheriv } from 'node:crypto';
import type { Kernel, LaneBatch } from '../src/hashing/kernel.ts';

const DIGEST_BYTES = 64;

/** Which kernel, iterations, first digest, last digest. */
const RECORD_BYTES = 2 + 2 * DIGEST_BYTES;

/** Few iterations a chain, so that many chains can be compared: 6 in the mean, 40 at most. */
const MEAN_STEPS = 6;
const MOST_STEPS = 40;

/** Digests where carries, signs and padding would go wrong first. */
const EXTREME = [0x00, 0xff, 0x80, 0x7f];

/** Random batches, the same for the same seed, and what kernels make of them. */
export class CaseMaker {
  readonly #stream: Cipheriv;
  readonly #quiet = new Int32Array(1);

  constructor(seed: number) {
    const key = createHash('sha256').update(`hashcluster cases ${seed}`).digest();
    this.#stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  /**
   * Runs a random batch of at most `most` chains, in one call or in several that split chains anywhere.
   * @param which the number that stands for the kernel in the records.
   */
  batch(kernel: Kernel, which: number, most: number): { bytes: Buffer; count: number } {
    const count = Math.min(most, 1 + this.#below(6 * kernel.lanes + 50));
    const steps = Array.from({ length: count }, () => this.#steps());
    const start = this.#digests(count);
    const digests = new Uint8Array(start);
    const remaining = new Float64Array(count);
    const batch = { digests, remaining, order: this.#order(count), count };
    this.#run(kernel, batch, steps);

    const bytes = Buffer.alloc(count * RECORD_BYTES);
    for (let i = 0; i < count; i++) {
      const at = i * RECORD_BYTES;
      const from = i * DIGEST_BYTES;
      bytes[at] = which;
      bytes[at + 1] = steps[i]!;
      bytes.set(start.subarray(from, from + DIGEST_BYTES), at + 2);
      bytes.set(digests.subarray(from, from + DIGEST_BYTES), at + 2 + DIGEST_BYTES);
    }
    return { bytes, count };
  }

  #run(kernel: Kernel, batch: LaneBatch, steps: readonly number[]): void {
    let left = steps;
    for (let splits = this.#below(3); splits > 0; splits--) {
      const now = left.map((some) => this.#below(some + 1));
      batch.remaining.set(now);
      kernel.run(batch, Number.POSITIVE_INFINITY, this.#quiet);
      left = left.map((some, i) => some - now[i]!);
    }
    batch.remaining.set(left);
    kernel.run(batch, Number.POSITIVE_INFINITY, this.#quiet);
  }

  /** Geometric, cut off. */
  #steps(): number {
    const uniform = (this.#below(2 ** 32) + 1) / 2 ** 32;
    return Math.min(MOST_STEPS, Math.floor(Math.log(uniform) / Math.log(1 - 1 / (MEAN_STEPS + 1))));
  }

  #digests(count: number): Buffer {
    const digests = this.#bytes(count * DIGEST_BYTES);
    for (let i = 0; i < count; i++) {
      if (this.#below(32) > 0) continue;
      digests.fill(EXTREME[this.#below(EXTREME.length)]!, i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
    }
    return digests;
  }

  /** Every chain once, shuffled. */
  #order(count: number): Uint32Array {
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const place = this.#below(i + 1);
      order[i] = order[place]!;
      order[place] = i;
    }
    return order;
  }

  #below(limit: number): number {
    return this.#bytes(4).readUInt32LE() % limit;
  }

  #bytes(count: number): Buffer {
    return this.#stream.update(Buffer.alloc(count));
  }
}
