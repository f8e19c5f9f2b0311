import { describe, expect, test } from '@jest/globals';
import { PollPace } from './poll-pace.ts';

/** The waits after polls that found so many jobs each. */
function waits(found: readonly number[], busIsAway = false): number[] {
  const pace = new PollPace(2_000);
  return found.map((jobs) => {
    pace.polled(jobs);
    return pace.nextMs(busIsAway);
  });
}

describe('the pace of polling', () => {
  test('slows down while nothing is found', () => {
    expect(waits([0, 0, 0, 0, 0, 0, 0])).toEqual([200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  });

  test('is quick again as soon as something is found', () => {
    expect(waits([0, 0, 0, 7, 1, 0])).toEqual([200, 400, 800, 100, 100, 200]);
  });

  test('does not slow down as much while the bus is away', () => {
    expect(waits([0, 0, 0, 0, 0], true)).toEqual([200, 400, 800, 1_000, 1_000]);
  });

  test('counts what several queues gave in one poll', () => {
    const pace = new PollPace(2_000);
    for (const jobs of [0, 3, 0]) pace.polled(jobs);
    expect(pace.nextMs(false)).toBe(100);
  });

  test('never waits longer than it may, for however long nothing is found', () => {
    expect(Math.max(...waits(new Array<number>(5_000).fill(0)))).toBe(2_000);
  });
});
