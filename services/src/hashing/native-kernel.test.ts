import { describe, expect, test } from '@jest/globals';
import { CHUNK_STEPS } from './kernel.ts';
import { describeKernel } from './kernel-conformance.ts';
import { loadNativeAddon } from './native-addon.ts';
import type { NativeAddon, NativeBackend } from './native-addon.ts';
import { createNativeKernel } from './native-kernel.ts';

const BACKENDS: readonly NativeBackend[] = ['avx512', 'avx512vl', 'avx2', 'scalar', 'portable'];

let missing = '';
const addon = loadNativeAddon((reason) => {
  missing = reason;
});

const lacks = `another processor: this one has ${addon?.features().join(', ') || 'none of its features'}`;

for (const name of BACKENDS) {
  const runs = addon?.backends().includes(name) ?? false;
  const make = () => (addon !== null && runs ? createNativeKernel(addon, name) : null);
  describeKernel(`native kernel ${name}`, make, addon === null ? `the native code: ${missing}` : lacks);
  if (addon !== null && runs) describeBatches(addon, name);
}

/** What needs many chains or many calls: checked against the plain C kernel, which the conformance suite has checked. */
function describeBatches(native: NativeAddon, name: NativeBackend): void {
  const kernel = createNativeKernel(native, name);
  const quiet = new Int32Array(1);

  function batchOf(remaining: readonly number[], salt: number) {
    const digests = Uint8Array.from(
      { length: 64 * remaining.length },
      (_, i) => (i * 31 + salt * 17 + (i >> 6)) & 255,
    );
    return {
      digests,
      remaining: Float64Array.from(remaining),
      order: Uint32Array.from(remaining.keys()),
      count: remaining.length,
    };
  }

  function expected(remaining: readonly number[], salt: number): Uint8Array {
    const { digests } = batchOf(remaining, salt);
    native.iterate('portable', digests, Float64Array.from(remaining));
    return digests;
  }

  describe(`native kernel ${name}, many chains`, () => {
    const masked = Math.min(kernel.lanes, 8);
    test(`every choice of live chains among ${masked} is right, and leaves the others alone`, () => {
      for (let mask = 0; mask < 2 ** masked; mask++) {
        const counts = Array.from({ length: masked }, (_, i) => ((mask >> i) & 1) * (1 + ((mask + i) % 4)));
        const batch = batchOf(counts, mask);
        expect(kernel.run(batch, 1e6, quiet)).toBe(counts.reduce((sum, count) => sum + count));
        expect(batch.digests).toEqual(expected(counts, mask));
      }
    });

    test.each([1, 2, 3, 5, 8, 13])('%d times as many chains as lanes, of all lengths, are right', (times) => {
      const counts = Array.from({ length: times * kernel.lanes + 3 }, (_, i) => (i * i * 7 + times) % 90);
      const batch = batchOf(counts, times);
      kernel.run(batch, 1e6, quiet);
      expect(batch.digests).toEqual(expected(counts, times));
      expect(batch.remaining.every((left) => left === 0)).toBe(true);
    });

    test('short chains that a lane takes one after another count towards a chunk', () => {
      const counts = Array.from({ length: 4 * CHUNK_STEPS * kernel.lanes }, () => 1);
      const batch = batchOf(counts, 1);
      const done = kernel.run(batch, 0, quiet);
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThanOrEqual(CHUNK_STEPS * kernel.lanes);
      expect(batch.remaining.reduce((sum, left) => sum + left)).toBe(counts.length - done);
    });

    test('calls that stop after each chunk give the same as one call', () => {
      const counts = Array.from({ length: kernel.lanes + 2 }, (_, i) => CHUNK_STEPS + 1_500 * i);
      const batch = batchOf(counts, 5);
      let calls = 0;
      while (batch.remaining.some((left) => left > 0) && calls < 100) {
        kernel.run(batch, 0, quiet);
        calls++;
      }
      expect(calls).toBeGreaterThan(1);
      expect(batch.digests).toEqual(expected(counts, 5));
    });
  });
}

describe('a native kernel', () => {
  (addon === null ? test.skip : test)('refuses a backend that is not there', () => {
    expect(() => createNativeKernel(addon!, 'wasm' as NativeBackend)).toThrow(
      expect.objectContaining({ name: 'RangeError' }),
    );
  });
});
