import { expect, test } from '@jest/globals';
import { ManualClock } from './testing/doubles.ts';
import { WindowCounts } from './window-counts.ts';

function setup() {
  const clock = new ManualClock();
  return { clock, counts: new WindowCounts(10_000, clock) };
}

test('a key is counted from its first count on, for a window', () => {
  const { clock, counts } = setup();
  counts.add('other');
  clock.advance(6_000);
  expect([counts.add('a'), counts.add('a', 3), counts.leftMs('a')]).toEqual([1, 4, 10_000]);
  clock.advance(9_999);
  expect([counts.add('a'), counts.leftMs('a')]).toEqual([5, 1]);
  clock.advance(1);
  expect([counts.leftMs('a'), counts.add('a')]).toEqual([0, 1]);
});

test.each([-3_600_000, 3_600_000])('a wall clock that steps by %d ms changes nothing', (stepMs) => {
  const { clock, counts } = setup();
  counts.add('a');
  clock.step(stepMs);
  expect([counts.add('a'), counts.leftMs('a')]).toEqual([2, 10_000]);
  clock.advance(10_000);
  expect(counts.add('a')).toBe(1);
});

test('what has ended is forgotten after two windows', () => {
  const { clock, counts } = setup();
  counts.add('a');
  for (let window = 0; window < 2; window++) {
    clock.advance(10_000);
    counts.add('b');
  }
  expect(counts.leftMs('a')).toBe(0);
  counts.forget('b');
  expect(counts.add('b')).toBe(1);
});
