import { DatabaseSync } from 'node:sqlite';

const RETRY_MS = 50;

/**
 * Runs `work` while no other process runs work under the same file. The lock is SQLite's: the system frees it when its
 * holder dies, so there are no stale ones. Rejects when it is not to be had within `limitMs`.
 */
export async function withLock<T>(file: string, limitMs: number, work: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    const end = performance.now() + limitMs;
    while (!tryBegin(lock)) {
      if (performance.now() > end) throw new Error(`${file} was locked for ${limitMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return await work();
  } finally {
    lock.close();
  }
}

function tryBegin(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as Error).message.includes('locked')) return false;
    throw error;
  }
}
