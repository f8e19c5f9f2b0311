import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ConstantPool } from './constant-pool.ts';
import { Emitter } from './emitter.ts';
import { ONE_LANE, TWO_LANES, Words } from './word.ts';
import type { Word } from './word.ts';

const MASK = (1n << 64n) - 1n;
const rotate = (value: bigint, by: bigint): bigint => ((value >> by) | (value << (64n - by))) & MASK;
const word = fc.bigInt({ min: 0n, max: MASK });

describe.each([
  ['one lane', ONE_LANE],
  ['two lanes', TWO_LANES],
])('words that are known, in %s', (_, kind) => {
  const words = new Words(new Emitter(0), kind, new ConstantPool(0));

  test('are computed at once', () => {
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        const [x, y, z] = [a, b, c].map((known): Word => ({ known })) as [Word, Word, Word];
        expect(words.sum(x, y, z)).toEqual({ known: (a + b + c) & MASK });
        expect(words.and(x, y)).toEqual({ known: a & b });
        expect(words.xor(x, y)).toEqual({ known: a ^ b });
        expect(words.sigma(x, [14, 18, 41], 'rotate')).toEqual({
          known: rotate(a, 14n) ^ rotate(a, 18n) ^ rotate(a, 41n),
        });
        expect(words.sigma(x, [19, 61, 6], 'shift')).toEqual({
          known: rotate(a, 19n) ^ rotate(a, 61n) ^ (a >> 6n),
        });
      }),
    );
  });
});

describe('words that are not known', () => {
  function setup(): { pool: ConstantPool; words: Words; open: Word } {
    const code = new Emitter(0);
    const pool = new ConstantPool(0);
    const words = new Words(code, TWO_LANES, pool);
    return { pool, words, open: words.read(code.local('v128')) };
  }

  test('take the known ones of a sum as one constant', () => {
    const { pool, words, open } = setup();
    words.keep(0, words.sum({ known: 3n }, open, { known: 4n }, open));
    expect([...new BigUint64Array(pool.bytes().buffer as ArrayBuffer)]).toEqual([7n]);
  });

  test('take no constant where the known ones of a sum come to nothing', () => {
    const { pool, words, open } = setup();
    words.keep(0, words.sum({ known: MASK }, open, { known: 1n }));
    expect(pool.bytes()).toHaveLength(0);
  });
});

test('a constant is in the pool once, a table wherever it was put', () => {
  const pool = new ConstantPool(100);
  expect(pool.table([7n, 8n, 9n])).toBe(100);
  expect(pool.address(8n)).toBe(108);
  expect(pool.address(1n)).toBe(124);
  expect(pool.address(1n)).toBe(124);
  expect(pool.bytes()).toHaveLength(32);
});
