import { describe, expect, test } from '@jest/globals';
import { StoreUnavailableError } from '../../ports/job-store.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { MemoryLogger, MemoryMetrics } from '../testing/doubles.ts';
import { until } from '../testing/harness.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { StoreCalls } from './store-calls.ts';

const ALL = { tenant: 'default', state: null, cursor: null, limit: 1 };

function setup(retryMs = 5_000) {
  const store = new MemoryStore(systemClock);
  const metrics = new MemoryMetrics();
  const logger = new MemoryLogger();
  const calls = new StoreCalls({
    ...{ store, clock: systemClock, logger, retryMs },
    failures: metrics.counter('failures'),
  });
  return { store, calls, metrics, logger };
}

describe('calls of the store', () => {
  test('are repeated while it is away', async () => {
    const { store, calls, metrics, logger } = setup();
    store.away = 3;
    await expect(calls.call('backlog', (jobs) => jobs.backlog())).resolves.toMatchObject({ running: 0 });
    expect(metrics.sums.get('failures{call=backlog}')).toBe(3);
    expect(logger.lines.map(({ message }) => message)).toEqual(['The store is away', 'The store is back']);
    expect(calls.trouble()).toBeNull();
  });

  test('are given up as unavailable after their budget, then refused without asking, until it is back', async () => {
    const { store, calls } = setup(100);
    store.away = Infinity;
    const get = (): Promise<unknown> => calls.call('list', (jobs) => jobs.list(ALL));
    await expect(get()).rejects.toMatchObject({ problem: { slug: 'unavailable' } });
    await until(() => calls.trouble() !== null);
    expect(calls.trouble()).toContain('away');
    const asked = (): number => store.calls.filter((call) => call === 'list').length;
    const before = asked();
    for (let i = 0; i < 100; i++)
      await expect(get()).rejects.toMatchObject({ problem: { slug: 'unavailable' } });
    expect(asked()).toBe(before);
    store.away = 0;
    await until(() => calls.trouble() === null);
    await expect(get()).resolves.toMatchObject({ items: [] });
    calls.stop();
  });

  test('are not needed for it to be found back: an endpoint that is not ready gets none', async () => {
    const { store, calls } = setup(100);
    store.away = Infinity;
    await expect(calls.call('list', (jobs) => jobs.list(ALL))).rejects.toMatchObject({
      problem: { slug: 'unavailable' },
    });
    await until(() => calls.trouble() !== null);
    store.away = 0;
    await until(() => calls.trouble() === null);
    calls.stop();
  });

  test('count the time from when the store says that something is wrong, not from their own failure', async () => {
    const { store, calls } = setup(50);
    let wrong: string | null = 'no primary';
    store.trouble = () => wrong;
    const get = (): Promise<unknown> => calls.call('get', (jobs) => jobs.get('default', []));
    let fail = (): void => undefined;
    const hanging = new Promise<never>((_resolve, reject) => {
      fail = () => reject(new StoreUnavailableError('no primary'));
    });
    const first = calls.call('get', () => hanging);
    await until(() => calls.trouble() !== null);
    fail();
    await expect(first).rejects.toMatchObject({ problem: { slug: 'unavailable' } });
    wrong = null;
    await until(() => get().then(Boolean, () => false));
    expect(calls.trouble()).toBeNull();
    calls.stop();
  });

  test('that only read go on while the store cannot be written', async () => {
    const { store, calls, logger } = setup(50);
    let wrong: string | null = 'the disk is full';
    store.trouble = () => wrong;
    const submit = (): Promise<unknown> =>
      calls.call('submit', () =>
        wrong === null ? Promise.resolve([]) : Promise.reject(new StoreUnavailableError(wrong)),
      );
    const unavailable = { problem: { slug: 'unavailable' } };
    await expect(submit()).rejects.toMatchObject(unavailable);
    await until(() => calls.trouble() !== null);
    for (let i = 0; i < 20; i++) {
      await expect(calls.call('list', (jobs) => jobs.list(ALL))).resolves.toMatchObject({ items: [] });
      await expect(submit()).rejects.toMatchObject(unavailable);
    }
    expect(logger.lines.map(({ message }) => message)).toEqual(['The store is away']);
    wrong = null;
    await until(() => calls.trouble() === null);
    await expect(submit()).resolves.toEqual([]);
    calls.stop();
  });

  test('fail as unavailable when there is no answer at all', async () => {
    const { calls } = setup(50);
    const never = new Promise<never>(() => undefined);
    await expect(calls.call('get', () => never)).rejects.toMatchObject({ problem: { slug: 'unavailable' } });
    calls.stop();
  });

  test('are not repeated after another failure, which is passed on', async () => {
    const { calls } = setup();
    let attempts = 0;
    const broken = calls.call('get', () => {
      attempts++;
      return Promise.reject(new Error('broken'));
    });
    await expect(broken).rejects.toThrow('broken');
    expect(attempts).toBe(1);
  });

  test('do not wait any longer once they are stopped', async () => {
    const { store, calls } = setup(60_000);
    store.away = Infinity;
    const waiting = calls.call('get', (jobs) => jobs.get('default', []));
    calls.stop();
    await expect(waiting).rejects.toMatchObject({ problem: { slug: 'draining' } });
  });
});
