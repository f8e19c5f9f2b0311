import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWhole, iterationsSource } from './exact-iterations.ts';

describe('a number that is written', () => {
  test.each([
    ['1', true],
    ['1000', true],
    ['1e3', true],
    ['1E+3', true],
    ['1.0', true],
    ['1.50e1', true],
    ['0.0', true],
    ['1000e-3', true],
    ['1.00000000000000000001', false],
    ['9007199254740990.6', false],
    ['10000000000000000000001e-22', false],
    ['1e-1', false],
    ['1.5', false],
    ['-1', true],
  ])('%s is whole: %p', (source, whole) => expect(isWhole(source)).toBe(whole));

  test('costs what its length does, whatever its digits are', () => {
    const cost = (digit: string): number => {
      const source = `1.${digit.repeat(30_000)}1`;
      const runs = Array.from({ length: 5 }, () => {
        const from = performance.now();
        expect(isWhole(source)).toBe(false);
        return performance.now() - from;
      });
      return Math.min(...runs);
    };
    const plain = cost('1');
    expect(cost('0')).toBeLessThan(Math.max(plain, 0.1) * 50);
  });

  test('agrees with exact arithmetic', () => {
    const parts = fc.tuple(fc.bigInt(0n, 10n ** 25n), fc.integer({ min: 0, max: 24 }));
    fc.assert(
      fc.property(parts, ([value, places]) => {
        expect(isWhole(`${value}e-${places}`)).toBe(value % 10n ** BigInt(places) === 0n);
      }),
    );
  });
});

describe('how iterations is written', () => {
  const long = 'x'.repeat(10_000);
  const zeros = '0'.repeat(9_000);
  test.each([
    ['{"data":"a","iterations":12}', '12'],
    ['{"iterations" : 1.0 , "data":"a"}', '1.0'],
    [`{"data":"${long}","iterations":7}`, '7'],
    [`{"iterations":7,"data":"${long}"}`, '7'],
    [`{"iterations":7${' '.repeat(10_000)},"data":"a","x":"${long}"}`, '7'],
    ['{"data":"\\"iterations\\":5","iterations":6}', '6'],
    ['{"\\u0069terations":6}', null],
    [`{"data":"a","iterations":1.${zeros}1}`, `1.${zeros}1`],
    [`{"iterations":1.${zeros}1,"data":"a"}`, `1.${zeros}1`],
    [`{${' '.repeat(4_078)}"iterations":10e-1,"data":"${long}"}`, '10e-1'],
  ])('in %.40s… is %.20s', (text, source) => {
    JSON.parse(text);
    expect(iterationsSource(text)).toBe(source);
  });
});
