import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CostClass, LiveJob } from '../../../jobs/job.ts';
import { Tally } from './tally.ts';

function liveJob(costClass: CostClass, left: number, owner: string | null): LiveJob {
  const facts = { id: 'id', tenant: 't', chain: 'c', iterations: left + 1, position: 1, digest: 'c' };
  return { ...facts, class: costClass, owner, attempts: 0, createdAt: 0, queuedAt: 0 };
}

const CLASS = fc.constantFrom<CostClass>(0, 1, 2, 3);
const LEFT = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER - 1),
  fc.maxSafeNat().filter((left) => left < Number.MAX_SAFE_INTEGER),
);
const JOB = fc.tuple(CLASS, LEFT, fc.constantFrom(null, null, 'worker')).map((args) => liveJob(...args));

/** What is right, counted with numbers that have no end. */
function exactly(jobs: readonly LiveJob[], costClass: CostClass): { jobs: number; iterations: number } {
  const queued = jobs.filter((job) => job.owner === null && job.class === costClass);
  const sum = queued.reduce((total, job) => total + BigInt(job.iterations - job.position), 0n);
  return { jobs: queued.length, iterations: Number(sum) };
}

function expectExactly(tally: Tally, jobs: readonly LiveJob[]): void {
  for (const each of [0, 1, 2, 3] as const) expect(tally.queued(each)).toEqual(exactly(jobs, each));
  const running = jobs.filter(({ owner }) => owner !== null).length;
  expect(tally.running).toBe(running);
  expect(tally.live).toBe(jobs.length);
}

describe('the tally', () => {
  test('stays exact beyond 2^53, and when jobs go again', () => {
    fc.assert(
      fc.property(fc.array(JOB), fc.integer({ min: 0, max: 20 }), (jobs, gone) => {
        const tally = new Tally();
        for (const job of jobs) tally.enter(job);
        expectExactly(tally, jobs);
        for (const job of jobs.slice(0, gone)) tally.leave(job);
        expectExactly(tally, jobs.slice(gone));
      }),
    );
  });

  test('counts a claim as a move from the queue to the running', () => {
    fc.assert(
      fc.property(fc.array(JOB), (jobs) => {
        const tally = new Tally();
        for (const job of jobs) tally.enter(job);
        for (const job of jobs) if (job.owner === null) tally.take(job.class, job.iterations - job.position);
        expectExactly(
          tally,
          jobs.map((job) => ({ ...job, owner: 'worker' })),
        );
      }),
    );
  });

  test('forgets what a transaction did that was rolled back', () => {
    fc.assert(
      fc.property(fc.array(JOB), fc.array(JOB), (kept, undone) => {
        const tally = new Tally();
        for (const job of kept) tally.enter(job);
        tally.commit();
        for (const job of undone) tally.enter(job);
        for (const job of kept) tally.leave(job);
        tally.rollback();
        expectExactly(tally, kept);
        tally.rollback();
        expectExactly(tally, kept);
      }),
    );
  });

  test('begins with what was counted', () => {
    const tally = new Tally();
    tally.enter(liveJob(0, 5, 'worker'));
    const queued = [
      [2, 3, 2 ** 33 + 7],
      [0, 0, 0],
      [0, 0, 0],
      [1, 0, 9],
    ] as const;
    tally.load(queued, 4);
    tally.rollback();
    expect(tally.queued(0)).toEqual({ jobs: 2, iterations: 5 * 2 ** 32 + 7 });
    expect(tally.queued(3)).toEqual({ jobs: 1, iterations: 9 });
    expect(tally.running).toBe(4);
  });
});
