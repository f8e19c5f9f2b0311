import { hash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { CHAINS, NIST } from './vectors.ts';

test.each(NIST)('node:crypto agrees with NIST about "$message"', ({ message, digest }) => {
  expect(hash('sha512', message)).toBe(digest);
});

test('chains start at the digests that NIST published', () => {
  const starts = CHAINS.map(({ start }) => start);
  expect(starts).toEqual(expect.arrayContaining(NIST.map(({ digest }) => digest)));
});

describe.each(CHAINS)('the chain from $name', ({ start, after }) => {
  test.each(after.map(([iterations, digest]) => ({ iterations, digest })))(
    'is where Python says after $iterations',
    ({ iterations, digest }) => {
      let bytes = Buffer.from(start, 'hex');
      for (let i = 0; i < iterations; i++) bytes = hash('sha512', bytes, 'buffer');
      expect(bytes.toString('hex')).toBe(digest);
    },
  );
});
