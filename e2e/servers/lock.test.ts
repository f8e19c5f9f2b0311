import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from './lock.ts';

const LIMIT_MS = 20_000;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashcluster-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

/** A process that holds the lock until it is killed. */
async function holder(): Promise<ChildProcess> {
  const module = JSON.stringify(new URL('lock.ts', import.meta.url).href);
  const script = `
    const { withLock } = await import(${module});
    await withLock(${JSON.stringify(file)}, ${LIMIT_MS}, () => {
      console.log('held');
      return new Promise((resolve) => setTimeout(resolve, 3_600_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  await once(child.stdout, 'data');
  return child;
}

test('what runs under one lock runs one after the other', async () => {
  let inside = 0;
  const most: number[] = [];
  const work = async (): Promise<void> => {
    most.push(++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(file, LIMIT_MS, work)));
  expect(most).toEqual([1, 1, 1, 1, 1]);
});

test('a lock is free again after work that failed', async () => {
  await expect(withLock(file, LIMIT_MS, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(withLock(file, 0, () => Promise.resolve('mine'))).resolves.toBe('mine');
});

test('another process holds its lock until it dies, however it dies', async () => {
  const other = await holder();
  try {
    await expect(withLock(file, 0, () => Promise.resolve())).rejects.toThrow('locked');
    const mine = withLock(file, LIMIT_MS, () => Promise.resolve('mine'));
    other.kill('SIGKILL');
    await expect(mine).resolves.toBe('mine');
  } finally {
    other.kill('SIGKILL');
  }
});
