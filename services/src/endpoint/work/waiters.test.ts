import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../runtime/system-clock.ts';
import { MemoryLogger, MemoryMetrics } from '../testing/doubles.ts';
import { until } from '../testing/harness.ts';
import { facts } from '../testing/jobs.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { Lookups } from './lookups.ts';
import { StoreCalls } from './store-calls.ts';
import { Waiters } from './waiters.ts';
import { Watchers } from './watchers.ts';

const started: Watchers[] = [];

function setup({ max = 100, recheckMs = 20 } = {}) {
  const [clock, logger, metrics] = [systemClock, new MemoryLogger(), new MemoryMetrics()];
  const store = new MemoryStore(clock);
  const failures = metrics.counter('failures');
  const lookups = new Lookups(new StoreCalls({ store, clock, logger, failures, retryMs: 10 }));
  const watchers = new Watchers({ lookups, logger, max, recheckMs });
  started.push(watchers);
  const finish = async (data: string): Promise<void> => {
    const job = facts(data);
    await store.complete([
      { ...job, digest: 'd'.repeat(128), computed: 9, worker: 'w', createdAt: 1, startedAt: 1 },
    ]);
  };
  return { store, lookups, watchers, waiters: new Waiters(watchers, lookups), finish };
}

const never = new AbortController().signal;
const LONG = 20_000;
const done = (data: string) => ({ id: facts(data).id, outcome: 'done', digest: 'd'.repeat(128) }) as const;

afterEach(async () => {
  await Promise.all(started.splice(0).map((watchers) => watchers.stop()));
});

describe('waiting for jobs', () => {
  test('ends when a message says so and the store confirms it', async () => {
    const { store, watchers, waiters, finish } = setup();
    await store.submit([facts('a')]);
    const wait = waiters.begin('default', [facts('a').id])!;
    const end = wait.until(LONG, never);
    await watchers.ended([done('a')]);
    expect(wait.ended.size).toBe(0);
    await finish('a');
    await watchers.ended([done('a')]);
    expect(await end).toBe('ended');
    expect([...wait.ended.values()]).toMatchObject([{ kind: 'result', result: { outcome: 'done' } }]);
    expect(watchers.size).toBe(0);
  });

  test('misses nothing that happens between beginning to watch and waiting', async () => {
    const { watchers, waiters, finish } = setup();
    const wait = waiters.begin('default', [facts('a').id])!;
    await finish('a');
    await watchers.ended([done('a')]);
    expect(await wait.until(LONG, never)).toBe('ended');
  });

  test('makes up for a message that got lost', async () => {
    const { watchers, waiters, finish } = setup();
    watchers.start();
    const wait = waiters.begin('default', [facts('a').id])!;
    await finish('a');
    expect(await wait.until(LONG, never)).toBe('ended');
  });

  test('makes up for lost messages of more jobs than are looked up in one round', async () => {
    const { watchers, waiters, finish } = setup({ max: 5_000, recheckMs: 1 });
    const ids = Array.from({ length: 2_500 }, (_, i) => facts(`job ${i}`).id);
    const others = waiters.begin('default', ids.slice(0, -1))!;
    const wait = waiters.begin('default', ids.slice(-1))!;
    watchers.start();
    await finish('job 2499');
    expect(await wait.until(LONG, never)).toBe('ended');
    others.close();
  });

  test('survives a store that is away for a while', async () => {
    const { store, watchers, waiters, finish } = setup();
    watchers.start();
    const wait = waiters.begin('default', [facts('a').id])!;
    await finish('a');
    store.away = 5;
    await watchers.ended([done('a')]);
    expect(await wait.until(LONG, never)).toBe('ended');
  });

  test('waits for all of a batch', async () => {
    const { watchers, waiters, finish } = setup();
    const wait = waiters.begin('default', [facts('a').id, facts('b').id, facts('c').id])!;
    wait.forget(facts('c').id);
    const end = wait.until(LONG, never);
    await finish('a');
    await watchers.ended([done('a')]);
    expect(wait.ended.size).toBe(1);
    await finish('b');
    await watchers.ended([done('b')]);
    expect(await end).toBe('ended');
    expect(wait.ended.size).toBe(2);
  });

  test('has nothing to wait for in an empty batch', async () => {
    expect(await setup().waiters.begin('default', [])!.until(LONG, never)).toBe('ended');
  });

  test('ends with the time, with the client, and when waits are released', async () => {
    const { watchers, waiters } = setup();
    const client = new AbortController();
    const waits = [1, 2, 3].map((i) => waiters.begin('default', [facts(`${i}`).id])!);
    const timed = waits[0]!.until(5, never);
    const left = waits[1]!.until(LONG, client.signal);
    const released = waits[2]!.until(LONG, never);
    client.abort();
    expect(await Promise.all([timed, left])).toEqual(['time', 'gone']);
    waiters.release();
    expect(await released).toBe('released');
    expect(watchers.size).toBe(0);
    expect(waiters.begin('default', [])).toBeNull();
  });

  test('does not take a cancellation for the end of a job that is just being submitted again', async () => {
    const { store, watchers, waiters, finish } = setup();
    const { id } = facts('a');
    await store.submit([facts('a')]);
    const wait = waiters.begin('default', [id])!;
    await store.cancel('default', [id]);
    await watchers.ended([{ id, outcome: 'cancelled', digest: null }]);
    await store.submit([facts('a')]);
    const end = wait.until(LONG, never);
    await until(() => store.calls.filter((call) => call === 'get').length === 2);
    expect(wait.ended.size).toBe(0);
    await finish('a');
    await watchers.ended([done('a')]);
    expect(await end).toBe('ended');
  });

  test('learns of a cancellation before it began to wait, if it stays one', async () => {
    const { store, watchers, waiters } = setup();
    const { id } = facts('a');
    await store.submit([facts('a')]);
    const wait = waiters.begin('default', [id])!;
    await store.cancel('default', [id]);
    await watchers.ended([{ id, outcome: 'cancelled', digest: null }]);
    expect(await wait.until(LONG, never)).toBe('ended');
    expect(wait.ended.get(id)).toMatchObject({ result: { outcome: 'cancelled' } });
  });

  test('is for a limited number, and makes room when it is over', () => {
    const { waiters, watchers } = setup({ max: 3 });
    const wait = waiters.begin('default', [facts('a').id, facts('b').id])!;
    expect(waiters.begin('default', [facts('c').id, facts('d').id])).toBeNull();
    wait.close();
    expect(waiters.begin('default', [facts('c').id, facts('d').id])).not.toBeNull();
    expect(watchers.size).toBe(2);
  });

  test('of many clients for one job costs one look', async () => {
    const { store, watchers, waiters, finish } = setup({ max: 1_000 });
    const waits = Array.from({ length: 100 }, () => waiters.begin('default', [facts('a').id])!);
    const ends = waits.map((wait) => wait.until(LONG, never));
    await finish('a');
    await watchers.ended([done('a'), done('unwatched')]);
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['ended']));
    expect(store.calls.filter((call) => call === 'get')).toHaveLength(1);
  });
});
