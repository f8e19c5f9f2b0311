import type { BackendName } from '../ports/hasher.ts';

/** Chains side by side in memory. Only the chains that `order` names are touched. */
export interface LaneBatch {
  /** 64 bytes per chain: the digest, in the byte order of FIPS 180-4. */
  readonly digests: Uint8Array;
  /** Iterations left, per chain: integers, 0 … 2^53−1. */
  readonly remaining: Float64Array;
  /** Which chains to run; a lane that finishes takes the next one. */
  readonly order: Uint32Array;
  /** How many entries of `order` count. */
  readonly count: number;
}

/**
 * Advances chains in lanes, on the thread that calls. Works in place: digests and remaining are exact when it returns,
 * wherever it stopped.
 */
export interface Kernel {
  readonly name: BackendName;
  /** Chains advanced at once. */
  readonly lanes: number;
  /**
   * Returns when every chain is done, when `budgetMs` is over, or when `attention[0]` is not 0 (another thread sets it),
   * whichever is first; looks at least every `CHUNK_STEPS` steps, and does at least one chunk.
   * @returns the iterations done, of all chains together.
   */
  run(batch: LaneBatch, budgetMs: number, attention: Int32Array): number;
}

/** Steps (one iteration of every lane) between two looks at the clock: 1 to 5 ms. */
export const CHUNK_STEPS = 8_192;
