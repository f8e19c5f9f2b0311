import { setImmediate as turn } from 'node:timers/promises';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { Digest } from '../jobs/job.ts';
import type { Kernel } from '../hashing/kernel.ts';

/** How long the kernel runs before the rest of the program has a turn, in milliseconds. */
const SLICE_MS = 100;

export interface RecomputeOptions {
  readonly kernel: Kernel;
  readonly signal: AbortSignal;
  /** Called a few times a second with the steps done. */
  readonly onProgress: (done: number) => void;
}

/** `digest` advanced by `steps` iterations, here and now, on one core: a chain cannot be divided. */
export async function recompute(digest: Digest, steps: number, options: RecomputeOptions): Promise<Digest> {
  const { kernel, signal, onProgress } = options;
  const digests = Buffer.alloc(DIGEST_BYTES);
  digests.write(digest, 'hex');
  const batch = { digests, remaining: Float64Array.of(steps), order: Uint32Array.of(0), count: 1 };
  const attention = new Int32Array(1);
  while (batch.remaining[0]! > 0) {
    kernel.run(batch, SLICE_MS, attention);
    onProgress(steps - batch.remaining[0]!);
    await turn();
    signal.throwIfAborted();
  }
  return digests.toString('hex');
}
