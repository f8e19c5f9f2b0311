import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_ITERATIONS } from '../jobs/limits.ts';
import { iterationsTextTrouble, iterationsValueTrouble } from './parse-iterations.ts';

describe('iterations as text', () => {
  test('may be any safe integer from 1, written plainly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_ITERATIONS }), (n) => {
        expect(iterationsTextTrouble(String(n), MAX_ITERATIONS)).toBeNull();
      }),
    );
  });

  test.each([
    ['', 'empty'],
    ['0', 'at least 1'],
    ['000', 'at least 1'],
    ['-5', 'at least 1, not "-5"'],
    ['1.5', 'whole number, not "1.5"'],
    ['1e400', 'plain decimal digits, not "1e400"'],
    ['1e3', 'plain decimal digits'],
    ['0x10', 'plain decimal digits, not "0x10"'],
    ['+5', 'plain decimal digits'],
    [' 5', 'plain decimal digits'],
    ['5 ', 'plain decimal digits'],
    ['٥', 'plain decimal digits'],
    ['NaN', 'plain decimal digits'],
    ['007', 'without leading zeros'],
    ['9007199254740992', 'at most 9007199254740991, not "9007199254740992"'],
    ['1'.repeat(5000), 'at most 9007199254740991'],
  ])('may not be %j', (text, message) => {
    const trouble = iterationsTextTrouble(text, MAX_ITERATIONS);
    expect(trouble).toContain(message);
    expect(trouble!.length).toBeLessThan(150);
  });

  test('may not be more than the limit, which is included', () => {
    expect(iterationsTextTrouble('1000', 1000)).toBeNull();
    expect(iterationsTextTrouble('1001', 1000)).toContain('at most 1000');
  });
});

describe('iterations in JSON', () => {
  test.each<[unknown, string | null]>([
    [1, null],
    [MAX_ITERATIONS, null],
    [undefined, 'is missing'],
    [null, 'must be a number, not null'],
    ['5', 'must be a number, not a string'],
    [true, 'must be a number, not a boolean'],
    [[5], 'must be a number, not an array'],
    [{}, 'must be a number, not an object'],
    [0, 'at least 1'],
    [-3, 'at least 1, not -3'],
    [0.5, 'at least 1'],
    [1.5, 'whole number, not 1.5'],
    [Infinity, 'too large to be read'],
    [2 ** 53, 'at most 9007199254740991'],
  ])('%p: %p', (value, message) => {
    const trouble = iterationsValueTrouble(value, MAX_ITERATIONS);
    if (message === null) expect(trouble).toBeNull();
    else expect(trouble).toContain(message);
  });
});
