import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../runtime/system-clock.ts';
import { MemoryLogger, MemoryMetrics } from '../testing/doubles.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { StoreCalls } from './store-calls.ts';

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

  test('are given up as unavailable after their budget, and then tried once each until it is back', async () => {
    const { store, calls } = setup(100);
    store.away = Infinity;
    const get = (): Promise<unknown> => calls.call('get', (jobs) => jobs.get('default', []));
    await expect(get()).rejects.toMatchObject({ problem: { slug: 'unavailable' } });
    while (calls.trouble() === null) await get().catch(() => null);
    expect(calls.trouble()).toContain('away');
    const before = store.calls.length;
    await expect(get()).rejects.toMatchObject({ problem: { slug: 'unavailable' } });
    expect(store.calls.length).toBe(before + 1);
    store.away = 0;
    await expect(get()).resolves.toEqual([]);
    expect(calls.trouble()).toBeNull();
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
