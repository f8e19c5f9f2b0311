import { afterEach, describe, expect, test } from '@jest/globals';
import { type QueueOptions, WorkQueue } from './queue.ts';
import { until } from './testing/until.ts';

const queues: WorkQueue[] = [];

afterEach(async () => {
  await Promise.all(queues.splice(0).map((queue) => queue.abort(new Error('the test is over'))));
});

/** A queue whose work ends when the test says so. */
function setup(options: Partial<QueueOptions> = {}) {
  const begun: string[] = [];
  const failed: [string, number][] = [];
  const open = new Map<string, PromiseWithResolvers<number | null>>();
  const queue = new WorkQueue({
    concurrency: 2,
    handle: (key, signal) => {
      begun.push(key);
      const work = Promise.withResolvers<number | null>();
      signal.addEventListener('abort', () => work.reject(signal.reason as Error));
      open.set(key, work);
      return work.promise;
    },
    onFailure: (key, _error, waitMs) => failed.push([key, waitMs]),
    random: () => 0,
    ...options,
  });
  queues.push(queue);
  const end = async (key: string, againMs: number | null = null): Promise<void> => {
    open.get(key)!.resolve(againMs);
    await new Promise(setImmediate);
  };
  const fail = async (key: string): Promise<void> => {
    open.get(key)!.reject(new Error('no luck'));
    await new Promise(setImmediate);
  };
  return { queue, begun, failed, end, fail };
}

describe('a queue', () => {
  test('works on each key once, however often it is added, and on a bounded number at once', async () => {
    const { queue, begun, end } = setup();
    for (const key of ['a', 'b', 'c', 'a', 'c', 'd']) queue.add(key);
    expect(begun).toEqual([]);
    queue.start();
    expect([begun, queue.depth, queue.running]).toEqual([['a', 'b'], 2, 2]);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  test('comes back to a key that was added while it was worked on, after those that waited', async () => {
    const { queue, begun, end } = setup({ concurrency: 1 });
    queue.start();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    queue.add('a');
    await end('a');
    await end('b');
    await end('a');
    expect(begun).toEqual(['a', 'b', 'a']);
    expect(queue.running).toBe(0);
  });

  test('waits as long as it is told, and the earliest wins', async () => {
    const { queue, begun, end } = setup();
    queue.start();
    queue.addAfter('a', 60_000);
    queue.addAfter('a', 10);
    queue.addAfter('a', 60_000);
    await until(() => begun.length === 1);
    await end('a', 10);
    await until(() => begun.length === 2);
    await end('a', 60_000);
    queue.add('a');
    expect(begun).toEqual(['a', 'a', 'a']);
  });

  test('waits longer with each failure of a key, and forgets them with a success', async () => {
    const { queue, failed, begun, fail, end } = setup({ backoff: { baseMs: 8, capMs: 32 } });
    queue.start();
    queue.add('a');
    for (let round = 1; round <= 4; round++) {
      await until(() => begun.length === round);
      await fail('a');
    }
    expect(failed).toEqual([4, 8, 16, 16].map((ms) => ['a', ms]));
    expect(queue.failing).toBe(1);
    await until(() => begun.length === 5);
    await end('a');
    expect(queue.failing).toBe(0);
    queue.add('a');
    await fail('a');
    expect(failed.at(-1)).toEqual(['a', 4]);
  });

  test('does not let a key that fails hold up the others', async () => {
    const { queue, begun, fail } = setup({ concurrency: 1 });
    queue.start();
    queue.add('bad');
    queue.add('good');
    await fail('bad');
    expect(begun).toEqual(['bad', 'good']);
  });

  test('forgets a key that is gone', async () => {
    const { queue, begun, fail, end } = setup({ concurrency: 1 });
    queue.start();
    queue.add('a');
    queue.add('gone');
    await fail('a');
    queue.forget('a');
    expect(queue.failing).toBe(0);
    queue.forget('gone');
    await end('gone');
    expect(begun).toEqual(['a', 'gone']);
  });

  test('says how long keys waited', async () => {
    const waits: number[] = [];
    const { queue } = setup({ onTurn: (_key, ms) => waits.push(ms) });
    queue.add('a');
    await new Promise(setImmediate);
    queue.start();
    expect(waits[0]).toBeGreaterThan(0);
  });
});

describe('stopping', () => {
  test('waits for what is under way, and takes nothing more', async () => {
    const { queue, begun, end } = setup({ concurrency: 1 });
    queue.start();
    queue.add('a');
    queue.add('b');
    const stopped = queue.stop(60_000);
    queue.add('c');
    await end('a', 1);
    await expect(stopped).resolves.toBe(true);
    await expect(queue.stop()).resolves.toBe(true);
    queue.start();
    expect([begun, queue.depth]).toEqual([['a'], 0]);
  });

  test('aborts what takes too long', async () => {
    const { queue, failed } = setup();
    queue.start();
    queue.add('a');
    await expect(queue.stop(1)).resolves.toBe(false);
    expect(failed).toHaveLength(1);
  });

  test('aborting ends what is under way at once', async () => {
    const { queue, failed } = setup();
    queue.start();
    queue.add('a');
    await queue.abort(new Error('no longer the leader'));
    expect([failed.length, queue.running]).toEqual([1, 0]);
  });
});
