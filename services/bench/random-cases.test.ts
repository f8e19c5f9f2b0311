import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createNodeKernel } from '../src/hashing/node-kernel.ts';
import { CaseMaker } from './random-cases.ts';

describe('CaseMaker', () => {
  test('gives the same cases for the same seed, and others for another', () => {
    const bytes = (seed: number) =>
      new CaseMaker(seed).batch(createNodeKernel(), 3, 1_000).bytes.toString('hex');
    expect(bytes(1)).toBe(bytes(1));
    expect(bytes(1)).not.toBe(bytes(2));
  });

  test('writes down where each chain began, how far it went, and what the kernel made of it', () => {
    const maker = new CaseMaker(5);
    const seen = new Set<number>();
    for (let batch = 0; batch < 30; batch++) {
      const { bytes, count } = maker.batch(createNodeKernel(), 3, 40);
      expect(bytes.length).toBe(count * 130);
      for (let at = 0; at < bytes.length; at += 130) {
        const steps = bytes[at + 1]!;
        seen.add(steps);
        let digest: Uint8Array = bytes.subarray(at + 2, at + 66);
        for (let i = 0; i < steps; i++) digest = hash('sha512', digest, 'buffer');
        expect(bytes[at]).toBe(3);
        expect(Buffer.compare(digest, bytes.subarray(at + 66, at + 130))).toBe(0);
      }
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(40);
    expect(seen.has(0)).toBe(true);
    expect(seen.size).toBeGreaterThan(10);
  });
});
