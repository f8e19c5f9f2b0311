import { describe, expect, test } from '@jest/globals';
import { LaneQueue } from './lane-queue.ts';
import type { LaneBatch } from './kernel.ts';

const digest = (byte: number): Uint8Array => new Uint8Array(64).fill(byte);

/** Chains in the queue, by their iterations left; ref and age are the place in the list. */
function setup(lanes: number, remaining: readonly number[]): LaneQueue {
  const queue = new LaneQueue(lanes);
  remaining.forEach((left, i) => queue.add(i, digest(i), left, i));
  return queue;
}

const lefts = (batch: LaneBatch): number[] =>
  [...batch.order.subarray(0, batch.count)].map((slot) => batch.remaining[slot]!);

/** What a kernel would do: takes up to `steps` off every chain of the batch. */
function work(batch: LaneBatch, steps: number): void {
  for (const slot of batch.order.subarray(0, batch.count)) {
    batch.remaining[slot] = Math.max(0, batch.remaining[slot]! - steps);
  }
}

describe('the lane queue', () => {
  test('offers the oldest chain first, then the shortest', () => {
    const queue = setup(8, [500, 30, 20, 10]);
    expect(lefts(queue.select(1e9))).toEqual([500, 10, 20, 30]);
  });

  test('ends equal chains in the order in which they came, although more of them come all the time', () => {
    const queue = setup(8, []);
    const ended: number[] = [];
    let next = 0;
    for (let slice = 0; slice < 200; slice++) {
      for (let i = 0; i < 12; i++, next++) queue.add(next, digest(1), 10, next);
      const batch = queue.select(0);
      work(batch, 10);
      const done = queue.settle(batch).ended;
      for (const ref of done) queue.delete(ref);
      ended.push(...done);
    }
    expect(ended).toEqual(ended.toSorted((a, b) => a - b));
    expect(ended.length).toBe(200 * 8);
  });

  test('offers enough chains for the work asked for, and for every lane', () => {
    const remaining = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(setup(8, remaining).select(0).count).toBe(8);
    expect(setup(8, remaining).select(5_050).count).toBe(100);
    expect(setup(2, [1_000_000, 5, 6]).select(1).count).toBe(2);
  });

  test.each([
    { lanes: 8, every: 1 },
    { lanes: 4, every: 2 },
    { lanes: 2, every: 4 },
    { lanes: 1, every: 8 },
  ])('gives the oldest chain an eighth of the lane time with $lanes lanes', ({ lanes, every }) => {
    const queue = setup(lanes, [1e12, ...Array.from({ length: 1_000 }, () => 10)]);
    let turns = 0;
    for (let slice = 0; slice < 64; slice++) {
      const batch = queue.select(0);
      if (lefts(batch)[0]! >= 1e12) turns++;
      queue.settle(batch);
    }
    expect(turns).toBe(64 / every);
  });

  test('tells what has ended and what has moved, and nothing of chains that only stood by', () => {
    const queue = setup(2, [100, 10, 50]);
    const batch = queue.select(1e9);
    batch.remaining[0] = 90;
    batch.remaining[1] = 0;
    expect(queue.settle(batch)).toEqual({ ended: [1], moved: [0] });
  });

  test('keeps every chain exactly once through slices, removals and new chains', () => {
    const queue = setup(4, [5, 3, 9, 4, 8, 1]);
    const ended: number[] = [];
    for (let slice = 0; slice < 20 && queue.size > 0; slice++) {
      const batch = queue.select(0);
      expect(new Set(batch.order.subarray(0, batch.count)).size).toBe(batch.count);
      work(batch, 1);
      for (const ref of queue.settle(batch).ended) {
        ended.push(ref);
        queue.delete(ref);
      }
      if (slice === 2) queue.add(6, digest(6), 2, 6);
    }
    expect(ended.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('holds the digests of many chains apart while it grows', () => {
    const queue = setup(
      8,
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    for (const ref of [0, 63, 64, 199]) {
      expect(queue.stateOf(ref)).toEqual({ digest: digest(ref), remaining: ref + 1 });
    }
    expect(queue.delete(63)).toBe(true);
    expect(queue.delete(63)).toBe(false);
    expect(queue.stateOf(63)).toBeNull();
    expect(queue.size).toBe(199);
  });
});
