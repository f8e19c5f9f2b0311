import { expect, test } from '@jest/globals';
import { until } from '../lib/client.ts';
import { History, type Stored } from './history.ts';
import { Observer } from './observer.ts';

const LIMIT_MS = 5_000;

function stored(position: number): Stored {
  const facts = { id: 'x', chain: 'c', iterations: 9, owner: null, digest: String(position) };
  return { ...facts, at: 0, position };
}

/** What is written down of a job that is seen at these positions, one after the other. */
async function positionsOf(seen: readonly number[], isDone: () => Promise<boolean>): Promise<number[]> {
  const history = new History();
  let looks = 0;
  const store = { live: async () => seen.slice(looks++).slice(0, 1).map(stored), isDone };
  const observer = new Observer({ history, callers: [], store, seed: 'test' });
  observer.start();
  await until('all was seen', LIMIT_MS, async () => looks > seen.length);
  await observer.stop();
  return history.stored.map(({ position }) => position);
}

test.each([
  { says: 'a position that grows is written down', seen: [1, 5, 8], isDone: false, expected: [1, 5, 8] },
  { says: 'a position that fell is written down', seen: [1, 5, 1], isDone: false, expected: [1, 5, 1] },
  { says: 'a job that returns when it is done is none', seen: [1, 5, 1, 1], isDone: true, expected: [1, 5] },
])('$says', async ({ seen, isDone, expected }) => {
  expect(await positionsOf(seen, async () => isDone)).toEqual(expected);
});

test('while the store cannot say whether a job is done, nothing is written down of it', async () => {
  let asked = 0;
  const away = async (): Promise<boolean> => {
    if (asked++ === 0) throw new Error('away');
    return false;
  };
  expect(await positionsOf([5, 1, 1], away)).toEqual([5, 1]);
});
