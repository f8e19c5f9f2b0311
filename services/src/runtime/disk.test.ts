import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { diskSpace } from './disk.ts';

test('a disk is as full as df says', async () => {
  const { free, total } = await diskSpace(tmpdir());
  const [, line = ''] = execFileSync('df', ['--output=pcent', tmpdir()], { encoding: 'utf8' }).split('\n');
  const percent = Number.parseInt(line, 10);
  // df rounds up, and others write meanwhile.
  expect(Math.abs((1 - free / total) * 100 - percent)).toBeLessThanOrEqual(1.5);
});

test('a path that is not there is told', async () => {
  await expect(diskSpace('/nowhere/at/all')).rejects.toThrow('ENOENT');
});
