import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Kernel, LaneBatch } from '../hashing/kernel.ts';
import { chainOf } from '../jobs/digest.ts';
import { recompute } from './recompute.ts';
import { digestOf } from './testing/fake-service.ts';

/** Hashes with node:crypto, at most `most` steps in one run. */
function slowKernel(most: number): Kernel {
  const run = ({ digests, remaining, order }: LaneBatch): number => {
    const chain = order[0]!;
    const digest = digests.subarray(chain * 64, chain * 64 + 64);
    const steps = Math.min(most, remaining[chain]!);
    for (let i = 0; i < steps; i++) digest.set(hash('sha512', digest, 'buffer'));
    remaining[chain]! -= steps;
    return steps;
  };
  return { name: 'node', lanes: 1, run };
}

describe('computing a digest again', () => {
  test.each([
    [1, 10],
    [2, 10],
    [1_000, 7],
  ])('%d iterations, in slices of %d', async (iterations, most) => {
    const seen: number[] = [];
    const options = {
      kernel: slowKernel(most),
      signal: new AbortController().signal,
      onProgress: (done: number) => seen.push(done),
    };
    expect(await recompute(chainOf('hello'), iterations - 1, options)).toBe(digestOf('hello', iterations));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1) ?? 0).toBe(iterations - 1);
  });

  test('can be interrupted', async () => {
    const controller = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 30) controller.abort(new Error('enough'));
    };
    const options = { kernel: slowKernel(10), signal: controller.signal, onProgress };
    await expect(recompute(chainOf('hello'), 1e12, options)).rejects.toThrow('enough');
  });
});
