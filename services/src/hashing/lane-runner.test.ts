import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { LaneBatch } from './kernel.ts';
import { createLaneKernel } from './lane-runner.ts';
import type { StepFunction } from './lane-runner.ts';

interface Call {
  readonly live: number;
  readonly steps: number;
}

/** Its "digest" is a number that each step makes one larger. Writes down how it was called. */
function counter(lanes: number, chunkSteps: number): { steps: StepFunction; calls: Call[] } {
  const calls: Call[] = [];
  const held = new Array<number>(lanes).fill(Number.NaN);
  const view = (digests: Uint8Array): DataView => new DataView(digests.buffer, digests.byteOffset);
  const steps: StepFunction = {
    lanes,
    chunkSteps,
    load(lane, digests, offset) {
      held[lane] = view(digests).getFloat64(offset);
    },
    store(lane, digests, offset) {
      view(digests).setFloat64(offset, held[lane]!);
    },
    step(live, count) {
      calls.push({ live, steps: count });
      for (let lane = 0; lane < live; lane++) held[lane]! += count;
    },
  };
  return { steps, calls };
}

function batchOf(remaining: readonly number[]): LaneBatch {
  return {
    digests: new Uint8Array(remaining.length * DIGEST_BYTES),
    remaining: Float64Array.from(remaining),
    order: Uint32Array.from(remaining.keys()),
    count: remaining.length,
  };
}

function counts(batch: LaneBatch): number[] {
  const view = new DataView(batch.digests.buffer);
  return [...batch.remaining.keys()].map((chain) => view.getFloat64(chain * DIGEST_BYTES));
}

const quiet = new Int32Array(1);

describe('a run in lanes', () => {
  test('advances each chain by what remained, and returns the sum', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(40)),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (remaining, lanes, chunk) => {
          const { steps } = counter(lanes, chunk);
          const batch = batchOf(remaining);
          const done = createLaneKernel('node', steps).run(batch, Infinity, quiet);
          expect(counts(batch)).toEqual(remaining);
          expect([...batch.remaining]).toEqual(remaining.map(() => 0));
          expect(done).toBe(remaining.reduce((sum, count) => sum + count, 0));
        },
      ),
    );
  });

  test('keeps its lanes full while chains wait, then does with fewer', () => {
    const { steps, calls } = counter(3, 100);
    createLaneKernel('node', steps).run(batchOf([10, 4, 7, 5, 20]), Infinity, quiet);
    expect(calls).toEqual([
      { live: 3, steps: 4 },
      { live: 3, steps: 3 },
      // Chain 4 came into the lane of chain 2; chain 3 ends after 5, chain 0 after 10.
      { live: 3, steps: 2 },
      { live: 2, steps: 1 },
      { live: 1, steps: 17 },
    ]);
  });

  test('begins with the chains that come first in the order', () => {
    const { steps } = counter(2, 10);
    const batch = batchOf([100, 100, 100, 100]);
    batch.order.set([3, 1, 0, 2]);
    createLaneKernel('node', steps).run(batch, 0, quiet);
    expect(counts(batch)).toEqual([0, 10, 0, 10]);
  });

  test('never steps further than a chunk between two looks, whatever ends in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        fc.nat(2),
        (remaining, lanes) => {
          const { steps, calls } = counter(lanes + 1, 16);
          const batch = batchOf(remaining);
          createLaneKernel('node', steps).run(batch, 0, quiet);
          const total = calls.reduce((sum, call) => sum + call.steps, 0);
          const finished = batch.remaining.every((left) => left === 0);
          expect(finished ? total <= 16 : total === 16).toBe(true);
          expect(calls.every((call) => call.steps >= 1 && call.live >= 1)).toBe(true);
          expect(counts(batch)).toEqual(remaining.map((count, i) => count - batch.remaining[i]!));
        },
      ),
    );
  });

  test('counts exactly up to 2^53−1', () => {
    const { steps } = counter(1, 1_024);
    const batch = batchOf([Number.MAX_SAFE_INTEGER]);
    expect(createLaneKernel('node', steps).run(batch, 0, quiet)).toBe(1_024);
    expect(batch.remaining[0]).toBe(Number.MAX_SAFE_INTEGER - 1_024);
  });

  test('stops at the next look after attention is asked for', () => {
    const { steps, calls } = counter(1, 10);
    const attention = new Int32Array(1);
    const asking: StepFunction = {
      ...steps,
      step(live, count) {
        steps.step(live, count);
        if (calls.length === 3) attention[0] = 1;
      },
    };
    const batch = batchOf([1_000]);
    expect(createLaneKernel('node', asking).run(batch, Infinity, attention)).toBe(30);
    expect(counts(batch)).toEqual([30]);
  });

  test.each([
    ['a chain that is ordered twice', [5, 5], [0, 0]],
    ['half an iteration', [0.5, 5], [0, 1]],
  ])('ends with an error for %s, rather than not at all', (_, remaining, order) => {
    const { steps } = counter(2, 10);
    const batch = { ...batchOf(remaining), order: Uint32Array.from(order) };
    expect(() => createLaneKernel('node', steps).run(batch, Infinity, quiet)).toThrow(RangeError);
  });
});
