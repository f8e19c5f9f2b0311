import { describe, expect, test } from '@jest/globals';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import { costClassOf } from '../jobs/cost.ts';
import type { LiveJob } from '../jobs/job.ts';
import type { Completion } from '../jobs/machine.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { JobStore } from '../ports/job-store.ts';
import { noopMetrics } from '../runtime/noop-telemetry.ts';
import { Teller } from '../runtime/teller.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import type { WorkerDeps } from './deps.ts';
import { Finisher } from './finisher.ts';
import { HeldJobs } from './held-jobs.ts';
import { defaultWorkerSettings } from './settings.ts';
import { workerMetrics } from './worker-metrics.ts';

/** More than a write without a pause takes, and none of them lets a timer go off. */
const MICROTASKS = 1_000;

const job = (id: string): LiveJob => ({
  ...{ id, tenant: 'default', chain: 'c', iterations: 100, position: 1, digest: 'd' },
  ...{ class: costClassOf(99), owner: 'w', attempts: 0, createdAt: 0, queuedAt: 0 },
});

/** A finisher before a store that answers a write when it is told to, and a clock that stands still between. */
function setup() {
  let nowMs = 0;
  const writes: { readonly ids: readonly string[]; readonly answer: (tookMs: number) => void }[] = [];
  const complete = (batch: readonly Completion[]) =>
    new Promise<readonly 'stored'[]>((resolve) => {
      const answer = (tookMs: number): void => {
        nowMs += tookMs;
        resolve(batch.map(() => 'stored'));
      };
      writes.push({ ids: batch.map(({ id }) => id), answer });
    });
  const logger = new RecordingLogger();
  const bus = createMemoryBus({ logger });
  const deps: WorkerDeps = {
    store: { complete } as unknown as JobStore,
    ...{ bus, logger, hasher: {} as Hasher, metrics: noopMetrics },
    clock: { now: () => nowMs, monotonic: () => nowMs },
    settings: defaultWorkerSettings('w', 'test'),
    usage: () => Promise.resolve({ cpu: 0, disk: null }),
    onFault: () => undefined,
  };
  const held = new HeldJobs();
  const metrics = workerMetrics(noopMetrics, deps.hasher, held);
  const finisher = new Finisher(deps, metrics, new Teller({ bus, logger, lost: metrics.lostMessages }));
  const finish = (id: string): void => {
    held.add(job(id), { monotonic: nowMs, store: 0 });
    finisher.finish(held.get(id)!, { key: id, position: 100, digest: 'e' });
  };
  return { writes, finisher, finish };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function microtasks(): Promise<void> {
  for (let i = 0; i < MICROTASKS; i++) await Promise.resolve();
}

describe('results that are finished', () => {
  test('in one turn of the event loop are written together', async () => {
    const { writes, finish } = setup();
    for (const id of ['a', 'b', 'c']) finish(id);
    await turn();
    expect(writes.map(({ ids }) => ids)).toEqual([['a', 'b', 'c']]);
  });

  test('while others are written wait for more, and a drain ends the wait', async () => {
    const { writes, finisher, finish } = setup();
    finish('a');
    await turn();
    finish('b');
    writes[0]!.answer(25);
    await microtasks();
    expect(writes).toHaveLength(1);
    finish('c');
    const flushed = finisher.flush(new AbortController().signal);
    await microtasks();
    expect(writes.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
    writes[1]!.answer(25);
    await flushed;
    expect(finisher.size).toBe(0);
  });
});
