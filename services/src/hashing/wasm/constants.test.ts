import { expect, test } from '@jest/globals';
import { sha512Constants } from './constants.ts';

const hex = (value: bigint | undefined): string => (value ?? 0n).toString(16).padStart(16, '0');

test('the initial value is that of FIPS 180-4, §5.3.5', () => {
  expect(sha512Constants().initial.map(hex)).toEqual([
    '6a09e667f3bcc908',
    'bb67ae8584caa73b',
    '3c6ef372fe94f82b',
    'a54ff53a5f1d36f1',
    '510e527fade682d1',
    '9b05688c2b3e6c1f',
    '1f83d9abfb41bd6b',
    '5be0cd19137e2179',
  ]);
});

test.each([
  [0, '428a2f98d728ae22'],
  [1, '7137449123ef65cd'],
  [39, '92722c851482353b'],
  [78, '5fcb6fab3ad6faec'],
  [79, '6c44198c4a475817'],
])('round constant %d is that of FIPS 180-4, §4.2.3', (round, expected) => {
  expect(hex(sha512Constants().rounds[round])).toBe(expected);
});

test('there are 80 different round constants', () => {
  expect(new Set(sha512Constants().rounds).size).toBe(80);
});
