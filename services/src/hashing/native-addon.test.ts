import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { chainOf } from '../jobs/digest.ts';
import { BACKENDS } from '../ports/hasher.ts';
import { loadFrom, loadNativeAddon } from './native-addon.ts';
import type { NativeAddon } from './native-addon.ts';

/** By name: the addon's errors belong to another realm than jest's. */
const RANGE = expect.objectContaining({ name: 'RangeError' });

let missing = '';
const addon = loadNativeAddon((reason) => {
  missing = reason;
});
if (addon === null) process.stderr.write(`SKIPPED native addon: ${missing}\n`);

describe('loading', () => {
  test('a module that was not built gives null, and says what it takes', () => {
    const reasons: string[] = [];
    expect(loadFrom('/nowhere/hashcluster.node', (reason) => reasons.push(reason))).toBeNull();
    expect(reasons).toEqual([
      'the native kernels are not built: that takes a C compiler and `npm run build`',
    ]);
  });

  test('a file that is no module gives null, and says why', () => {
    const reasons: string[] = [];
    expect(loadFrom(import.meta.dirname, (reason) => reasons.push(reason))).toBeNull();
    expect(reasons).toEqual([expect.stringMatching(/^the native kernels cannot be loaded: ./)]);
  });
});

/** The addon in tests that are skipped without it. */
const native = addon as NativeAddon;
const start = Buffer.from(chainOf('abc'), 'hex');
const PART_OF_A_DIGEST = 'digests must have 64 bytes per chain';
const describeNative = addon === null ? describe.skip : describe;

/** A call whose arguments are right, but for those that a test changes. */
function run(changed: Partial<Record<string, unknown>> = {}): () => number {
  const args = {
    backend: 'portable',
    digests: new Uint8Array(128),
    remaining: Float64Array.of(2, 3),
    order: Uint32Array.of(0, 1),
    count: 2,
    budgetMs: 1e6,
    attention: new Int32Array(1),
    ...changed,
  };
  return () => (native.run as (...all: unknown[]) => number)(...Object.values(args));
}

describeNative('what the native addon says of itself', () => {
  test('it names the backends of this processor, the fastest first, and how many lanes each has', () => {
    const names = native.backends();
    expect(names).toEqual(BACKENDS.filter((name) => (names as string[]).includes(name)));
    expect(names.at(-1)).toBe('portable');
    for (const name of names) expect([1, 4, 8, 9]).toContain(native.lanes(name));
    expect(native.lanes('portable')).toBe(1);
  });

  test('it names the features that its backends need', () => {
    if (native.backends().includes('avx512')) {
      expect(native.features()).toEqual(
        expect.arrayContaining(['avx512f', 'avx512vl', 'avx512bw', 'avx512dq']),
      );
    }
    if (native.backends().includes('avx2')) expect(native.features()).toContain('avx2');
  });
});

describeNative('arguments of the wrong type', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['a backend that is no string', { backend: 7 }, 'backend must be a string'],
    ['no arguments at all', { backend: undefined, digests: undefined }, 'backend must be a string'],
    ['digests that are no bytes', { digests: new Uint16Array(64) }, 'digests must be a Uint8Array'],
    ['digests as a plain array', { digests: [1, 2] }, 'digests must be a Uint8Array'],
    ['remaining of the wrong kind', { remaining: new Float32Array(2) }, 'remaining must be a Float64Array'],
    ['an order of the wrong kind', { order: new Int32Array(2) }, 'order must be a Uint32Array'],
    ['an order that is missing', { order: null }, 'order must be a Uint32Array'],
    ['a count that is no number', { count: '2' }, 'count must be a number'],
    ['a budget that is no number', { budgetMs: 5n }, 'budgetMs must be a number'],
    ['attention of the wrong kind', { attention: new Uint32Array(1) }, 'attention must be an Int32Array'],
  ])('%s is a TypeError', (_, changed, message) => {
    expect(run(changed)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message }),
    );
  });
});

describeNative('arguments out of range', () => {
  const counts = 'remaining must be integers from 0 to 2^53 - 1';
  const named = 'count must be an integer from 0 to the length of order';
  test.each<[string, Record<string, unknown>, string]>([
    [
      'a backend that there is not',
      { backend: 'avx1024' },
      'backend must be one of those that backends() names',
    ],
    [
      'a very long backend',
      { backend: 'portable'.repeat(99) },
      'backend must be one of those that backends() names',
    ],
    ['part of a digest', { digests: new Uint8Array(127) }, PART_OF_A_DIGEST],
    [
      'fewer counts than chains',
      { remaining: new Float64Array(1) },
      'remaining must have one entry per chain in digests',
    ],
    ['a negative count', { count: -1 }, named],
    ['a count beyond the order', { count: 3 }, named],
    ['half a count', { count: 1.5 }, named],
    ['a count that is NaN', { count: Number.NaN }, named],
    ['a chain that there is not', { order: Uint32Array.of(0, 2) }, 'order must name only chains in digests'],
    ['negative remaining', { remaining: Float64Array.of(2, -1) }, counts],
    ['half an iteration', { remaining: Float64Array.of(0.5, 1) }, counts],
    ['remaining NaN', { remaining: Float64Array.of(2, Number.NaN) }, counts],
    ['remaining 2^53', { remaining: Float64Array.of(2, 2 ** 53) }, counts],
    ['remaining without end', { remaining: Float64Array.of(2, Number.POSITIVE_INFINITY) }, counts],
    ['a negative budget', { budgetMs: -1 }, 'budgetMs must be 0 or more'],
    ['a budget that is NaN', { budgetMs: Number.NaN }, 'budgetMs must be 0 or more'],
    ['attention without an entry', { attention: new Int32Array(0) }, 'attention must have an entry'],
  ])('%s is a RangeError', (_, changed, message) => {
    expect(run(changed)).toThrow(
      expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message }),
    );
  });
});

describeNative('the native addon', () => {
  test('what is refused changes nothing', () => {
    const digests = new Uint8Array(128);
    const remaining = Float64Array.of(2, 3);
    expect(run({ digests, remaining, order: Uint32Array.of(0, 9) })).toThrow(RANGE);
    expect(digests.every((byte) => byte === 0)).toBe(true);
    expect([...remaining]).toEqual([2, 3]);
  });

  test('the order may be longer than count, and remaining beyond reach may be anything that order does not name', () => {
    expect(run({ count: 1, order: Uint32Array.of(0, 99), remaining: Float64Array.of(2, -7) })()).toBe(2);
  });

  test('a chain that is named twice is still right where it stops', () => {
    const digests = new Uint8Array(start);
    const once = new Uint8Array(start);
    run({ digests, remaining: Float64Array.of(5), order: Uint32Array.of(0, 0) })();
    native.iterate('portable', once, Float64Array.of(5));
    expect(digests).toEqual(once);
  });

  test('iterate advances in place, and leaves the steps as they were', () => {
    for (const name of native.backends()) {
      const digests = new Uint8Array([...start, ...start]);
      const steps = Float64Array.of(1, 0);
      native.iterate(name, digests, steps);
      expect(Buffer.from(digests.subarray(0, 64)).toString('hex')).toBe(chainOf(start));
      expect(digests.subarray(64)).toEqual(new Uint8Array(start));
      expect([...steps]).toEqual([1, 0]);
    }
  });

  test('iterate refuses part of a digest, and steps for another number of chains', () => {
    expect(() => native.iterate('portable', new Uint8Array(63), new Float64Array(0))).toThrow(
      PART_OF_A_DIGEST,
    );
    expect(() => native.iterate('portable', new Uint8Array(64), new Float64Array(2))).toThrow(RANGE);
  });

  test('several threads load it at once and hash in the same shared memory', async () => {
    const threads = 4;
    const digests = new Uint8Array(new SharedArrayBuffer(64 * threads));
    const file = new URL('../../native/build/hashcluster.node', import.meta.url).pathname;
    const script =
      "const { workerData: { file, digests, lane } } = require('node:worker_threads'); const addon = require(file);" +
      'for (const name of addon.backends()) addon.run(name, digests.subarray(64 * lane, 64 * lane + 64),' +
      'Float64Array.of(1000), Uint32Array.of(0), 1, Infinity, new Int32Array(1));';
    await Promise.all(
      Array.from({ length: threads }, async (_, lane) => {
        const worker = new Worker(script, { eval: true, workerData: { file, digests, lane } });
        const code = await new Promise((resolve, reject) =>
          worker.once('exit', resolve).once('error', reject),
        );
        expect(code).toBe(0);
      }),
    );
    const one = new Uint8Array(64);
    native.iterate('portable', one, Float64Array.of(1000 * native.backends().length));
    for (let lane = 0; lane < threads; lane++) {
      expect(digests.slice(64 * lane, 64 * lane + 64)).toEqual(one);
    }
  });
});
