import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { Digest } from '../jobs/job.ts';
import type { BackendName, InlineHasher } from '../ports/hasher.ts';
import type { Kernel } from './kernel.ts';

/** Chains handed to the kernel at once. Bounds the memory that is kept: 76 KiB. */
const CAPACITY = 1_024;

/**
 * Hashes chains on the thread that calls, and returns when all are done: for chains that are shorter than the way to
 * an engine. One thread, one call at a time: the kernel and the memory are used again and again.
 */
export function createInlineHasher(kernel: Kernel): InlineHasher {
  return new KernelInlineHasher(kernel);
}

class KernelInlineHasher implements InlineHasher {
  readonly backend: BackendName;
  readonly #kernel: Kernel;
  readonly #bytes = Buffer.alloc(CAPACITY * DIGEST_BYTES);
  readonly #remaining = new Float64Array(CAPACITY);
  /** As they come: to sort them costs about what it saves. */
  readonly #order = Uint32Array.from({ length: CAPACITY }, (_, i) => i);
  /** Nobody interrupts. */
  readonly #attention = new Int32Array(1);

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.backend = kernel.name;
  }

  /**
   * Throws RangeError where the two lists differ in length, steps are no integer of 0 … 2^53−1, or a digest is not 128
   * hexadecimal characters.
   */
  iterate(digests: readonly Digest[], steps: readonly number[]): Digest[] {
    if (digests.length !== steps.length) {
      throw new RangeError(`There are ${digests.length} digests, but steps for ${steps.length}`);
    }
    const results: Digest[] = [];
    for (let from = 0; from < digests.length; from += CAPACITY) {
      const count = Math.min(CAPACITY, digests.length - from);
      this.#fill(digests, steps, from, count);
      this.#run(count);
      for (let i = 0; i < count; i++)
        results.push(this.#bytes.toString('hex', i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES));
    }
    return results;
  }

  #fill(digests: readonly Digest[], steps: readonly number[], from: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#remaining[i] = checkedSteps(steps[from + i]!);
      const digest = digests[from + i]!;
      const written = this.#bytes.write(digest, i * DIGEST_BYTES, 'hex');
      if (written !== DIGEST_BYTES || digest.length !== 2 * DIGEST_BYTES) {
        throw new RangeError(`A digest has 128 hexadecimal characters, but this is "${digest}"`);
      }
    }
  }

  #run(count: number): void {
    const batch = { digests: this.#bytes, remaining: this.#remaining, order: this.#order, count };
    this.#kernel.run(batch, Number.POSITIVE_INFINITY, this.#attention);
  }
}

function checkedSteps(steps: number): number {
  if (Number.isSafeInteger(steps) && steps >= 0) return steps;
  throw new RangeError(`Steps are integers of 0 or more, but these are ${steps}`);
}
