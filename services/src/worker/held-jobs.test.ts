import { describe, expect, test } from '@jest/globals';
import type { LiveJob } from '../jobs/job.ts';
import { costClassOf } from '../jobs/cost.ts';
import { HeldJobs } from './held-jobs.ts';

const job = (id: string, iterations: number, position = 1): LiveJob => ({
  ...{ id, tenant: 'default', chain: 'c', iterations, position, digest: 'd' },
  ...{ class: costClassOf(iterations - position), owner: 'w', attempts: 0, createdAt: 0, queuedAt: 0 },
});

function setup(...jobs: LiveJob[]): HeldJobs {
  const held = new HeldJobs();
  for (const one of jobs) held.add(one, { monotonic: 1_000, store: 0 });
  return held;
}

describe('the jobs that a worker holds', () => {
  test('count the work left by class, through progress and endings', () => {
    const held = setup(job('a', 101), job('b', 1_000_001), job('c', 51));
    expect(held.iterationsLeft()).toEqual({ 0: 150, 1: 1_000_000, 2: 0, 3: 0 });
    held.move('b', { position: 400_001, digest: 'x' });
    held.take('a');
    expect(held.iterationsLeft()).toEqual({ 0: 50, 1: 600_000, 2: 0, 3: 0 });
    held.take('b');
    held.take('c');
    expect(held.iterationsLeft()).toEqual({ 0: 0, 1: 0, 2: 0, 3: 0 });
  });

  test('are worth a checkpoint when they moved and were not saved for a while', () => {
    const held = setup(job('moved', 1e6), job('still', 1e6));
    held.move('moved', { position: 500, digest: 'x' });
    expect(held.unsaved(1_999, 1_000)).toEqual([]);
    const due = held.unsaved(2_000, 1_000);
    expect(due).toEqual([{ id: 'moved', position: 500, digest: 'x' }]);
    held.markSaved(due[0]!, 2_000);
    held.move('moved', { position: 600, digest: 'y' });
    expect(held.unsaved(2_500, 1_000)).toEqual([]);
    expect(held.unsaved(3_000, 1_000)).toEqual([{ id: 'moved', position: 600, digest: 'y' }]);
  });

  test('tell each move once, and what does not fit next time', () => {
    const held = setup(job('a', 1e6), job('b', 1e6));
    held.move('a', { position: 2, digest: 'x' });
    held.move('b', { position: 3, digest: 'y' });
    expect(held.takeMoved(1).map(({ position }) => position)).toEqual([2]);
    expect(held.takeMoved(5).map(({ position }) => position)).toEqual([3]);
    expect(held.takeMoved(5)).toEqual([]);
  });

  test('can be asked for the longest', () => {
    expect(setup(job('short', 10), job('long', 1e9), job('middle', 1e5)).longest(2)).toEqual([
      'long',
      'middle',
    ]);
  });

  test('ignore what happens to a job that was dropped', () => {
    const held = setup(job('a', 100));
    expect(held.take('a')?.job.id).toBe('a');
    held.move('a', { position: 5, digest: 'x' });
    expect(held.take('a')).toBeNull();
    expect(held.size).toBe(0);
  });
});
