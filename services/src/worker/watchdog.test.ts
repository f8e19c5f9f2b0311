import { describe, expect, test } from '@jest/globals';
import type { Hasher, HashState, HashTask } from '../ports/hasher.ts';
import { noopMetrics } from '../runtime/noop-telemetry.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import type { WorkerDeps } from './deps.ts';
import { HeldJobs } from './held-jobs.ts';
import { defaultWorkerSettings } from './settings.ts';
import { facts } from './testing/kit.ts';
import { Watchdog } from './watchdog.ts';
import { workerMetrics } from './worker-metrics.ts';

const CAPACITY = 1_000;
const NOW = { monotonic: 0, store: 0 };

/** A hasher that holds what it is given and hashes when it is told to. */
function setup() {
  const chains = new Map<string, HashTask>();
  const added: HashTask[] = [];
  const faults: Error[] = [];
  let iterationsDone = 0;
  const hasher: Hasher = {
    description: { backend: 'wasm', reason: '', cpu: '', features: [], engines: 1, lanes: 2 },
    start: async () => undefined,
    stop: async () => undefined,
    has: (key) => chains.has(key),
    add: (tasks) => {
      for (const task of tasks) {
        chains.set(task.key, task);
        added.push(task);
      }
    },
    remove: async (keys): Promise<HashState[]> =>
      keys.flatMap((key) => {
        const task = chains.get(key);
        chains.delete(key);
        return task ? [{ key, position: task.position, digest: task.digest }] : [];
      }),
    load: () => ({
      ...{ chains: chains.size, freeLanes: 0, iterationsLeft: 0, iterationsDone, capacity: CAPACITY },
    }),
  };
  const held = new HeldJobs();
  const logger = new RecordingLogger();
  const metrics = workerMetrics(noopMetrics, hasher, held);
  const settings = defaultWorkerSettings('worker-1', 'test');
  const onFault = (error: Error): void => void faults.push(error);
  const watchdog = new Watchdog(
    { hasher, logger, settings, onFault } as unknown as WorkerDeps,
    held,
    metrics,
  );
  const hold = (name: string): HashTask => {
    const job = facts(name, 1e9);
    const point = { position: 1, digest: job.chain };
    const times = { class: 2, owner: 'worker-1', attempts: 0, createdAt: 0, queuedAt: 0 } as const;
    held.add({ ...job, ...point, ...times }, NOW);
    return { key: job.id, ...point, target: job.iterations };
  };
  return { watchdog, hasher, held, hold, added, chains, faults, work: (n: number) => (iterationsDone += n) };
}

describe('the watchdog of a worker', () => {
  test('starts a job again that is held and not hashed, where it stands, after two checks', async () => {
    const { watchdog, held, hold, added } = setup();
    const { key, target } = hold('a');
    const point = { position: 500, digest: 'f'.repeat(128) };
    held.move(key, point);
    await watchdog.check();
    expect(added).toEqual([]);
    await watchdog.check();
    expect(added).toEqual([{ key, ...point, target }]);
    await watchdog.check();
    expect(added).toHaveLength(1);
  });

  test('leaves jobs alone that are hashed, or that leave between two checks', async () => {
    const { watchdog, hasher, held, hold, added } = setup();
    hasher.add([hold('a')]);
    const leaving = hold('b');
    await watchdog.check();
    held.take(leaving.key);
    await watchdog.check();
    expect(added).toHaveLength(1);
  });

  test('starts the oldest job again that does not move while much work is done', async () => {
    const { watchdog, hasher, held, hold, added, work } = setup();
    const [stalled, other] = [hold('a'), hold('b')];
    hasher.add([stalled, other]);
    await watchdog.check();
    for (let position = 2; added.length === 2; position++) {
      expect(position).toBeLessThan(100);
      held.move(other.key, { position, digest: other.digest });
      work(CAPACITY);
      await watchdog.check();
    }
    expect(added.slice(2)).toEqual([stalled]);
  });

  test('waits for the oldest job while it moves, or while nothing is done', async () => {
    const { watchdog, hasher, held, hold, added, work } = setup();
    const moving = hold('a');
    hasher.add([moving]);
    for (let position = 2; position < 30; position++) {
      held.move(moving.key, { position, digest: moving.digest });
      work(30 * CAPACITY);
      await watchdog.check();
    }
    for (let i = 0; i < 30; i++) await watchdog.check();
    expect(added).toHaveLength(1);
  });

  test('ends the worker once, when engines that hold chains do nothing for many checks', async () => {
    const { watchdog, hasher, hold, faults, work } = setup();
    for (let i = 0; i < 100; i++) await watchdog.check();
    expect(faults).toEqual([]);
    hasher.add([hold('a')]);
    for (let i = 0; i < 30; i++) await watchdog.check();
    work(1);
    for (let i = 0; i < 30; i++) await watchdog.check();
    expect(faults).toEqual([]);
    for (let i = 0; i < 100; i++) await watchdog.check();
    expect(faults).toHaveLength(1);
  });
});
