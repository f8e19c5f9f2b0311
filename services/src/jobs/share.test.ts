import { describe, expect, test } from '@jest/globals';
import { jobsToRelease, type Peer } from './share.ts';

const peer = (jobs: number, freeLanes = Math.max(0, 8 - jobs), draining = false): Peer => ({
  lanes: 8,
  freeLanes,
  jobs,
  draining,
});

describe('jobs given back for others', () => {
  test.each([
    ['none when nobody else is there', peer(100), [], 0],
    ['none when no lane is free elsewhere', peer(100), [peer(8), peer(30)], 0],
    ['none when all fit into the own lanes', peer(8), [peer(0)], 0],
    ['what is beyond the own lanes, when that is little', peer(10), [peer(0)], 2],
    ['as many as there are free lanes', peer(100), [peer(0), peer(5)], 11],
    ['a part of the free lanes when others have jobs to spare too', peer(16), [peer(16), peer(0)], 4],
    ['none to a worker that drains', peer(100), [peer(0, 8, true)], 0],
    ['none when draining: everything is given back anyway', peer(100, 0, true), [peer(0)], 0],
  ])('%s', (_, me, others, count) => {
    expect(jobsToRelease(me, others)).toBe(count);
  });
});
