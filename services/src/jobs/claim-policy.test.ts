import { describe, expect, test } from '@jest/globals';
import { claimSize, wantedClasses } from './claim-policy.ts';

const limits = { holdSeconds: 5, maxJobs: 100 };
const seconds = (a: number, b: number, c: number, d: number): Record<0 | 1 | 2 | 3, number> => ({
  0: a,
  1: b,
  2: c,
  3: d,
});

describe('what a worker claims next', () => {
  test.each([
    [
      'everything while a lane is free',
      { freeLanes: 1, jobs: 50, seconds: seconds(9, 9, 9, 9) },
      [0, 1, 2, 3],
    ],
    [
      'everything while it holds little',
      { freeLanes: 0, jobs: 50, seconds: seconds(1, 1, 1, 1) },
      [0, 1, 2, 3],
    ],
    [
      'only short jobs while it holds long ones',
      { freeLanes: 0, jobs: 50, seconds: seconds(1, 1, 900, 0) },
      [0, 1],
    ],
    ['nothing when it holds enough short ones', { freeLanes: 0, jobs: 50, seconds: seconds(6, 0, 0, 0) }, []],
    ['nothing when it holds too many jobs', { freeLanes: 8, jobs: 100, seconds: seconds(0, 0, 0, 0) }, []],
  ])('%s', (_, holding, wanted) => {
    expect(wantedClasses(holding, limits)).toEqual(wanted);
  });

  test('many short jobs at once, few long ones', () => {
    const sizes = ([0, 1, 2, 3] as const).map(claimSize);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes[3]).toBeGreaterThan(0);
  });
});
