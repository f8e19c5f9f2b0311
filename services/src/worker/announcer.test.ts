import { afterEach, describe, expect, test } from '@jest/globals';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import type { Alive } from '../jobs/messages.ts';
import { noopMetrics } from '../runtime/noop-telemetry.ts';
import { Teller } from '../runtime/teller.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import { Announcer } from './announcer.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJobs } from './held-jobs.ts';
import { defaultWorkerSettings } from './settings.ts';

const PEER: Alive = {
  ...{ worker: 'peer', host: 'h', node: null, startedAt: 0, at: 0, backend: 'node' },
  ...{ engines: 1, lanes: 4, freeLanes: 4, rate: 0, capacity: 1, jobs: 0, backlogSeconds: 0 },
  ...{ positions: [], cpu: 0, disk: null, draining: false },
};

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An announcer of a worker with 4 lanes and so many jobs, whose clock stands still until it is told to go on. */
async function setup(jobs: number, storeTrouble: string | null = null) {
  const logger = new RecordingLogger();
  const bus = createMemoryBus({ logger });
  await bus.start();
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const hasher = {
    description: { backend: 'node', engines: 1, lanes: 4 },
    load: () => ({ freeLanes: 3, iterationsDone: 0, iterationsLeft: 0, capacity: 1 }),
  };
  const deps = {
    ...{ bus, logger, clock, hasher, metrics: noopMetrics },
    store: { trouble: () => storeTrouble },
    settings: { ...defaultWorkerSettings('me', 'h'), aliveMs: 2_000 },
    usage: () => Promise.resolve({ cpu: 0, disk: null }),
  } as unknown as WorkerDeps;
  const held = { size: jobs, takeMoved: () => [] };
  const shared: number[] = [];
  const announcer = new Announcer({
    ...{ deps, held: held as unknown as HeldJobs },
    teller: new Teller({ bus, logger, lost: { add: () => undefined } }),
    mayClaim: () => true,
    share: (count) => {
      shared.push(count);
      held.size -= count;
      return Promise.resolve();
    },
  });
  closing = [() => bus.stop(), () => announcer.stop()];
  await announcer.start();
  /** Says something for another worker, and waits until everybody has heard it. */
  const hear = async (alive: Partial<Alive>): Promise<void> => {
    await bus.publish('alive', [{ ...PEER, ...alive }]);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { announcer, bus, hear, shared, held, forward: (ms: number) => void (now += ms) };
}

/** What the worker says of itself when it drains. */
async function lastWord({ announcer, bus }: Awaited<ReturnType<typeof setup>>): Promise<Alive> {
  const told = Promise.withResolvers<Alive>();
  await bus.subscribe('alive', { group: null, maxBatch: 10 }, ({ messages }) => {
    for (const alive of messages) if (alive.worker === 'me') told.resolve(alive);
    return Promise.resolve();
  });
  await announcer.drain();
  return told.promise;
}

test.each([
  ['all its free lanes', null, 3],
  ['no lanes while it cannot reach the store', 'MongoDB has no primary', 0],
])('a worker offers %s', async (_what, trouble, freeLanes) => {
  expect(await lastWord(await setup(1, trouble))).toMatchObject({ freeLanes });
});

describe('sharing', () => {
  test('begins at once when somebody is heard to have nothing to do', async () => {
    const { hear, shared } = await setup(10);
    await hear({});
    expect(shared).toEqual([4]);
  });

  test.each([
    ['nobody has free lanes', 10, { freeLanes: 0, jobs: 4 }],
    ['who has free lanes drains', 10, { draining: true }],
    ['there are no more jobs than lanes', 4, {}],
  ])('does not begin when %s', async (_when, jobs, alive) => {
    const { hear, shared } = await setup(jobs);
    await hear(alive);
    expect(shared).toEqual([]);
  });

  test('goes on only when the others had the time to take what was given back', async () => {
    const { hear, shared, forward } = await setup(20);
    await hear({});
    forward(500);
    await hear({ at: 500 });
    expect(shared).toEqual([4]);
    forward(600);
    await hear({ at: 1_100 });
    expect(shared).toEqual([4, 4]);
  });

  test('does not reckon with a worker that has been silent for long', async () => {
    const { hear, shared, held, forward } = await setup(4);
    await hear({});
    held.size = 10;
    forward(10_001);
    await hear({ worker: 'another', freeLanes: 0 });
    expect(shared).toEqual([]);
  });

  test('ends when the worker drains, which everybody is told at once', async () => {
    const worker = await setup(10);
    const { hear, shared } = worker;
    expect(await lastWord(worker)).toMatchObject({ draining: true, jobs: 10 });
    await hear({});
    expect(shared).toEqual([]);
  });
});
