import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createInlineHasher } from './inline.ts';
import { createNodeKernel } from './node-kernel.ts';
import { CHAINS } from './vectors.ts';
import { createWasmKernel, wasmRuns } from './wasm-kernel.ts';

const KERNELS = [createNodeKernel, ...(wasmRuns() ? [createWasmKernel] : [])].map((make) => make());

const seed = (i: number): string => hash('sha512', `inline ${i}`);

function oracle(digest: string, steps: number): string {
  let bytes = Buffer.from(digest, 'hex');
  for (let i = 0; i < steps; i++) bytes = hash('sha512', bytes, 'buffer');
  return bytes.toString('hex');
}

describe.each(KERNELS.map((kernel) => ({ kernel, name: kernel.name })))(
  'inline on $name',
  ({ kernel, name }) => {
    const hasher = createInlineHasher(kernel);

    test('says which backend it is', () => {
      expect(hasher.backend).toBe(name);
    });

    test('nothing to do gives nothing', () => {
      expect(hasher.iterate([], [])).toEqual([]);
    });

    test.each(CHAINS)('a chain from $name is where Python says', ({ start, after }) => {
      const short = after.filter(([iterations]) => iterations <= 1_000);
      const starts = short.map(() => start);
      expect(
        hasher.iterate(
          starts,
          short.map(([iterations]) => iterations),
        ),
      ).toEqual(short.map(([, digest]) => digest));
    });

    test('chains come back in their order, however many steps each has', () => {
      fc.assert(
        fc.property(fc.array(fc.nat(40)), (steps) => {
          const digests = steps.map((_, i) => seed(i));
          expect(hasher.iterate(digests, steps)).toEqual(
            digests.map((digest, i) => oracle(digest, steps[i]!)),
          );
        }),
        { numRuns: 50 },
      );
    });

    test.each([1_023, 1_024, 1_025, 2_500])('%d chains are as many as any', (count) => {
      const digests = Array.from({ length: count }, (_, i) => seed(i));
      const steps = digests.map((_, i) => i % 4);
      expect(hasher.iterate(digests, steps)).toEqual(digests.map((digest, i) => oracle(digest, steps[i]!)));
    });

    test.each([
      ['one digest, no steps', [seed(1)], [], 'There are 1 digests, but steps for 0'],
      ['negative steps', [seed(1)], [-1], 'Steps are integers of 0 or more, but these are -1'],
      ['half a step', [seed(1)], [0.5], 'Steps are integers of 0 or more, but these are 0.5'],
      [
        'too many steps',
        [seed(1)],
        [2 ** 53],
        'Steps are integers of 0 or more, but these are 9007199254740992',
      ],
      ['a short digest', ['ab'], [1], 'A digest has 128 hexadecimal characters, but this is "ab"'],
      [
        'a digest with another letter',
        [`${'0'.repeat(127)}g`],
        [1],
        `A digest has 128 hexadecimal characters, but this is "${'0'.repeat(127)}g"`,
      ],
      [
        'a digest with more',
        ['0'.repeat(130)],
        [1],
        `A digest has 128 hexadecimal characters, but this is "${'0'.repeat(130)}"`,
      ],
    ])('%s is refused', (_, digests, steps, message) => {
      expect(() => hasher.iterate(digests, steps)).toThrow(new RangeError(message));
    });

    test('a refusal leaves it as good as before', () => {
      expect(() => hasher.iterate([seed(1), 'no'], [5, 5])).toThrow(RangeError);
      expect(hasher.iterate([seed(2)], [3])).toEqual([oracle(seed(2), 3)]);
    });
  },
);
