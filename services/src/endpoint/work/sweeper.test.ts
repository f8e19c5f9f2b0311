import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock, MemoryLogger, MemoryMetrics } from '../testing/doubles.ts';
import { until } from '../testing/harness.ts';
import { aliveMessage, facts } from '../testing/jobs.ts';
import { MemoryBus } from '../testing/memory-bus.ts';
import { MemoryStore } from '../testing/memory-store.ts';
import { Announcements } from './announcements.ts';
import { StoreCalls } from './store-calls.ts';
import { Sweeper } from './sweeper.ts';
import { WorkersTable } from './workers-table.ts';

const started: Sweeper[] = [];

function setup({ intervalMs = 5, forgottenAfterMs = 1_000 } = {}) {
  const [clock, logger, metrics, bus] = [
    new ManualClock(),
    new MemoryLogger(),
    new MemoryMetrics(),
    new MemoryBus(),
  ];
  const memory = new MemoryStore(clock);
  const store = new StoreCalls({
    store: memory,
    clock,
    logger,
    failures: metrics.counter('failures'),
    retryMs: 0,
  });
  const announcements = new Announcements({ bus, logger, lost: metrics.counter('lost') });
  const workers = new WorkersTable({ clock, deadAfterMs: 10_000 });
  const swept = metrics.counter('swept');
  const sweeper = new Sweeper({
    store,
    announcements,
    workers,
    clock,
    logger,
    swept,
    intervalMs,
    forgottenAfterMs,
  });
  started.push(sweeper);
  const sweeps = (): number => memory.calls.filter((call) => call === 'sweep').length;
  return { clock, logger, metrics, bus, memory, workers, sweeper, sweeps };
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((sweeper) => sweeper.stop()));
});

describe('the sweeper', () => {
  test('says once that clocks disagree, and once that they agree again', async () => {
    const { memory, logger, sweeper, sweeps } = setup();
    const again = async (): Promise<void> => {
      const before = sweeps();
      await until(() => sweeps() > before + 1);
    };
    const said = (): readonly string[] =>
      logger.lines.map(({ message }) => message).filter((message) => message.includes('Clocks'));
    memory.clockWrong = 'they differ by an hour';
    sweeper.start();
    await again();
    expect(said()).toEqual(['Clocks disagree']);
    memory.clockWrong = null;
    await again();
    expect(said()).toEqual(['Clocks disagree', 'Clocks agree again']);
  });

  test('publishes jobs of a worker whose lease ran out', async () => {
    const { clock, memory, bus, sweeper } = setup();
    await memory.submit([facts('a')]);
    await memory.renew('w', 5_000);
    await memory.claim('w', { ids: [facts('a').id] });
    clock.advance(5_000);
    sweeper.start();
    await until(() => bus.messages('jobs.1').length > 0);
    expect(bus.messages('jobs.1')).toEqual([{ id: facts('a').id, cost: 999_999 }]);
  });

  test('publishes forgotten jobs again, but not with every sweep', async () => {
    const { clock, memory, bus, sweeper, sweeps } = setup();
    await memory.submit([facts('a')]);
    clock.advance(1_001);
    sweeper.start();
    await until(() => sweeps() > 5);
    expect(bus.messages('jobs.1')).toHaveLength(1);
    clock.advance(1_001);
    await until(() => bus.messages('jobs.1').length === 2);
  });

  test('tells everybody of a job that is given up', async () => {
    const { memory, bus, logger, sweeper } = setup();
    const { id } = facts('a');
    memory.sweep = () => {
      const failed = { ...facts('a'), outcome: 'failed', reason: 'twenty deaths' } as never;
      return Promise.resolve({ requeued: [], failed: [failed], forgotten: [], expired: 0 });
    };
    sweeper.start();
    await until(() => bus.messages('results').length > 0);
    expect(bus.messages('results')[0]).toMatchObject({ id, outcome: 'failed' });
    expect(logger.with('A job is given up')[0]?.fields).toEqual({ job: id, reason: 'twenty deaths' });
  });

  test('sweeps at once when a worker is found dead, whatever the interval, and soon again until its lease is over', async () => {
    const { clock, workers, sweeper, sweeps, logger } = setup({ intervalMs: 1e9 });
    workers.heard(aliveMessage({ worker: 'w' }));
    clock.advance(10_000);
    sweeper.start();
    await until(() => sweeps() >= 3);
    expect(logger.with('Workers are silent and count as dead')[0]?.fields).toEqual({ workers: ['w'] });
  });

  test('goes on after a sweep that failed', async () => {
    const { memory, sweeper, sweeps, logger } = setup();
    memory.away = 1;
    sweeper.start();
    await until(() => sweeps() > 2);
    expect(logger.with('A sweep failed')).not.toHaveLength(0);
  });
});
