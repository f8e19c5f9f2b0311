import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { COST_CLASSES, costClassOf } from './cost.ts';
import { MAX_ITERATIONS } from './limits.ts';

describe('the cost class', () => {
  test.each([
    [0, 0],
    [1, 0],
    [1e5, 0],
    [1e5 + 1, 1],
    [1e7, 1],
    [1e7 + 1, 2],
    [1e9, 2],
    [1e9 + 1, 3],
    [MAX_ITERATIONS, 3],
  ])('of %d iterations left is %d', (left, expected) => {
    expect(costClassOf(left)).toBe(expected);
  });

  test('never falls when there is more to do', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(costClassOf(Math.min(a, b))).toBeLessThanOrEqual(costClassOf(Math.max(a, b)));
        expect(COST_CLASSES).toContain(costClassOf(a));
      }),
    );
  });
});
