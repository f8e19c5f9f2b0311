import { expect, test } from '@jest/globals';
import { cpuShare, readCpu } from './cpu-usage.ts';
import { diskSpace } from './disk.ts';
import { systemClock } from './system-clock.ts';

test('the disk that holds this file has a size, and no more free than that', async () => {
  const { free, total } = await diskSpace(import.meta.dirname);
  expect(total).toBeGreaterThan(0);
  expect(free).toBeGreaterThanOrEqual(0);
  expect(free).toBeLessThanOrEqual(total);
});

test('a path that does not exist has no disk', async () => {
  await expect(diskSpace('/does/not/exist')).rejects.toThrow('ENOENT');
});

test.each([
  ['half of one core', 500, 1_000, 1, 0.5],
  ['all of two cores', 2_000, 1_000, 2, 1],
  ['a quarter of four cores', 1_000, 1_000, 4, 0.25],
  ['nothing', 0, 1_000, 2, 0],
  ['more than there is, by a coarse clock', 1_100, 1_000, 1, 1],
  ['no time at all', 5, 0, 1, 0],
])('cpu share: %s', (_case, usedMs, passedMs, cores, expected) => {
  const before = { usedMs: 300, atMs: 1_000 };
  expect(cpuShare(before, { usedMs: 300 + usedMs, atMs: 1_000 + passedMs }, cores)).toBeCloseTo(expected, 9);
});

test('cpu time grows with work, in milliseconds', () => {
  const before = readCpu(systemClock);
  let after = before;
  while (after.usedMs - before.usedMs < 20) after = readCpu(systemClock);
  expect(after.atMs).toBeGreaterThan(before.atMs);
  // One thread cannot use more CPU time than passes, but for a few threads of Node itself.
  expect(after.usedMs - before.usedMs).toBeLessThanOrEqual(8 * (after.atMs - before.atMs) + 20);
});
