import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Pace } from './pace.ts';

function paceOf(samples: readonly (readonly [number, number])[]): number | null {
  const pace = new Pace();
  for (const [at, position] of samples) pace.add(at, position);
  return pace.rate();
}

describe('the pace', () => {
  test.each<[string, [number, number][], number | null]>([
    ['of nothing', [], null],
    ['of one sample', [[0, 5]], null],
    [
      'without time',
      [
        [0, 5],
        [0, 9],
      ],
      null,
    ],
    [
      'of something that stands',
      [
        [0, 5],
        [1_000, 5],
      ],
      null,
    ],
    [
      'of two samples',
      [
        [0, 100],
        [500, 300],
      ],
      400,
    ],
    [
      'after going back',
      [
        [0, 100],
        [1_000, 900],
        [2_000, 0],
        [3_000, 50],
      ],
      50,
    ],
    [
      'forgets what was 5 s ago',
      [
        [0, 0],
        [1_000, 1_000_000],
        [6_000, 1_000_500],
        [11_000, 1_001_000],
      ],
      100,
    ],
  ])('%s', (_name, samples, rate) => expect(paceOf(samples)).toBe(rate));

  test('is right whenever the movement is even, however often it is looked at', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 2, maxLength: 2_000 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 10_000 }), (waits, perMs) => {
        let at = 0;
        const rate = paceOf(waits.map((wait) => [(at += wait), at * perMs] as const));
        expect(rate).toBeCloseTo(perMs * 1_000, 3);
      }),
      { numRuns: 30 },
    );
  });
});
