import { describe, expect, test } from '@jest/globals';
import { BACKENDS } from '../ports/hasher.ts';
import type { BackendName } from '../ports/hasher.ts';
import { availableBackends, chooseBackend, openKernel } from './select.ts';

const NOT_BUILT = 'the native kernels are not built: that takes a C compiler';

describe('the choice of a backend', () => {
  test.each<[string, BackendName[], string | null, string | undefined, BackendName, string]>([
    ['everything', [...BACKENDS], null, undefined, 'avx512', 'AVX-512, the fastest of 7 that run here'],
    [
      'an empty wish',
      ['avx2', 'scalar', 'portable', 'wasm', 'node'],
      null,
      '',
      'avx2',
      'AVX2, the fastest of 5 that run here',
    ],
    [
      'any order of what there is',
      ['node', 'wasm', 'portable', 'avx2'],
      null,
      undefined,
      'avx2',
      'AVX2, the fastest of 4 that run here',
    ],
    ['no addon', ['wasm', 'node'], NOT_BUILT, undefined, 'wasm', `WebAssembly, because ${NOT_BUILT}`],
    ['nothing else', ['node'], NOT_BUILT, undefined, 'node', `node:crypto, because ${NOT_BUILT}`],
    [
      'a wish',
      ['avx512', 'avx2', 'wasm', 'node'],
      null,
      'avx2',
      'avx2',
      'AVX2, forced by HASH_BACKEND; AVX-512 would be faster',
    ],
    ['a wish for the fastest', ['avx2', 'node'], null, 'avx2', 'avx2', 'AVX2, forced by HASH_BACKEND'],
    [
      'a wish without the addon',
      ['wasm', 'node'],
      NOT_BUILT,
      'node',
      'node',
      'node:crypto, forced by HASH_BACKEND; WebAssembly would be faster',
    ],
  ])('from %s', (_, available, nativeMissing, forced, name, reason) => {
    expect(chooseBackend({ available, nativeMissing, forced })).toEqual({ name, reason });
  });

  test.each<[string, string, BackendName[], string | null, string]>([
    [
      'a name that is none',
      'avx1024',
      ['avx2', 'wasm', 'node'],
      null,
      'HASH_BACKEND is "avx1024", which is no backend. Here it can be avx2, wasm, node.',
    ],
    [
      'another spelling',
      'AVX2',
      ['node', 'avx2'],
      null,
      'HASH_BACKEND is "AVX2", which is no backend. Here it can be avx2, node.',
    ],
    [
      'what the processor lacks',
      'avx512',
      ['avx2', 'portable', 'wasm', 'node'],
      null,
      'HASH_BACKEND is "avx512", which cannot run here: this processor lacks it. ' +
        'Here it can be avx2, portable, wasm, node.',
    ],
    [
      'what is not built',
      'portable',
      ['wasm', 'node'],
      NOT_BUILT,
      `HASH_BACKEND is "portable", which cannot run here: ${NOT_BUILT}. Here it can be wasm, node.`,
    ],
    [
      'what Node lacks',
      'wasm',
      ['avx2', 'node'],
      null,
      'HASH_BACKEND is "wasm", which cannot run here: this Node lacks it. Here it can be avx2, node.',
    ],
  ])('cannot be %s', (_, forced, available, nativeMissing, message) => {
    expect(() => chooseBackend({ forced, available, nativeMissing })).toThrow(new Error(message));
  });
});

describe('what is available', () => {
  const { available, nativeMissing } = availableBackends();

  test('is in the order of speed, and ends with node:crypto', () => {
    expect(available).toEqual(BACKENDS.filter((name) => available.includes(name)));
    expect(available.at(-1)).toBe('node');
  });

  test('has the portable kernel, or says why it has not', () => {
    expect(available.includes('portable')).toBe(nativeMissing === null);
  });

  test.each(available)('%s can be opened', (name) => {
    const kernel = openKernel(name);
    expect(kernel.name).toBe(name);
    expect(kernel.lanes).toBeGreaterThanOrEqual(1);
  });

  const missing = BACKENDS.filter((name) => !available.includes(name));
  if (missing.length > 0) {
    test.each(missing)('%s is not, and cannot be opened', (name) => {
      expect(() => openKernel(name)).toThrow();
    });
  }
});
