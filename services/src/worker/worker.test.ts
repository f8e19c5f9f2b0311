import { afterEach, describe, expect, test } from '@jest/globals';
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import { createSqliteStore } from '../adapters/embedded/sqlite-store.ts';
import { EnginePool } from '../hashing/engine-pool.ts';
import { openKernel } from '../hashing/select.ts';
import { chainOf } from '../jobs/digest.ts';
import { jobFacts } from '../jobs/id.ts';
import type { JobFacts, JobView } from '../jobs/job.ts';
import type { Completion } from '../jobs/machine.ts';
import { dispatchTopic } from '../jobs/messages.ts';
import type { Bus } from '../ports/bus.ts';
import { StoreUnavailableError, type JobStore } from '../ports/job-store.ts';
import { noopMetrics } from '../runtime/noop-telemetry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import type { WorkerDeps } from './deps.ts';
import { defaultWorkerSettings, type WorkerSettings } from './settings.ts';
import { Worker } from './worker.ts';

const LIMIT_MS = 20_000;
const LONG = 1e12;

/** Everything happens more often than in earnest. */
const HASTY = { renewMs: 100, aliveMs: 50, pollMs: 50 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setup() {
  const dir = await mkdtemp(join(tmpdir(), 'hashcluster-worker-'));
  const logger = new RecordingLogger();
  const options = { retentionMs: 1e9, sharedCache: true, reuseIterations: 2_000, logger };
  const store = createSqliteStore({ ...options, file: join(dir, 'jobs.db') });
  const bus = createMemoryBus({ logger });
  closing.push(
    () => rm(dir, { recursive: true }),
    () => store.stop(),
    () => bus.stop(),
  );
  await store.start();
  await bus.start();
  let workers = 0;
  const startWorker = async (
    settings: Partial<WorkerSettings> = {},
    own: JobStore = store,
  ): Promise<Worker> => {
    const { lanes } = openKernel('wasm');
    const hasher = new EnginePool({ backend: 'wasm', reason: '', cpu: '', features: [], engines: 1, lanes });
    const deps: WorkerDeps = {
      ...{ store: own, bus, hasher, logger, clock: systemClock, metrics: noopMetrics },
      settings: { ...defaultWorkerSettings(`worker-${++workers}`, 'test'), ...HASTY, ...settings },
      usage: () => Promise.resolve({ cpu: 0, disk: null }),
      onFault: (error) => {
        throw error;
      },
    };
    const worker = new Worker(deps);
    closing.push(() => worker.stop());
    await worker.start();
    return worker;
  };
  return { store, bus, logger, startWorker };
}

const facts = (name: string, iterations: number): JobFacts => jobFacts('default', chainOf(name), iterations);

function digestOf({ chain, iterations }: JobFacts): string {
  let value = Buffer.from(chain, 'hex');
  for (let i = 1; i < iterations; i++) value = hash('sha512', value, 'buffer');
  return value.toString('hex');
}

/** As an endpoint does it; without `announce`, as if the message had been lost. */
async function submit(store: JobStore, bus: Bus, jobs: readonly JobFacts[], announce = true): Promise<void> {
  for (const answer of await store.submit(jobs)) {
    if (answer.kind !== 'created' || !announce) continue;
    const { id, iterations, position } = answer.job;
    await bus.publish(dispatchTopic(answer.job.class), [{ id, cost: iterations - position }]);
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('Nothing came of it');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const viewOf = async (store: JobStore, { id }: JobFacts): Promise<JobView> =>
  (await store.get('default', [id]))[0]!;
const isDone = async (store: JobStore, job: JobFacts): Promise<boolean> =>
  (await viewOf(store, job)).kind === 'result';
const ownerOf = async (store: JobStore, job: JobFacts): Promise<string | null> => {
  const view = await viewOf(store, job);
  return view.kind === 'live' ? view.job.owner : null;
};
const positionOf = async (store: JobStore, job: JobFacts): Promise<number> => {
  const view = await viewOf(store, job);
  return view.kind === 'live' ? view.job.position : view.result.iterations;
};

describe('a worker', () => {
  test('does the jobs that it is told of, and tells when they are done', async () => {
    const { store, bus, startWorker } = await setup();
    const told: string[] = [];
    await bus.subscribe('results', { group: null, maxBatch: 10 }, ({ messages }) => {
      told.push(...messages.map(({ id }) => id));
      return Promise.resolve();
    });
    await startWorker({ pollMs: 1e6 });
    const jobs = [2, 100, 4_000, 30_000].map((iterations) => facts(`told ${iterations}`, iterations));
    await submit(store, bus, jobs);
    await until(() => Promise.resolve(told.length === jobs.length));
    for (const job of jobs) {
      const result = {
        outcome: 'done',
        digest: digestOf(job),
        computed: job.iterations - 1,
        worker: 'worker-1',
      };
      expect(await viewOf(store, job)).toMatchObject({ kind: 'result', result });
    }
  });

  test('finds jobs of which the message got lost', async () => {
    const { store, bus, startWorker } = await setup();
    const [before, after] = [facts('before', 3_000), facts('after', 3_000)];
    await submit(store, bus, [before], false);
    await startWorker();
    await submit(store, bus, [after], false);
    await until(async () => (await isDone(store, before)) && (await isDone(store, after)));
  });

  test('writes checkpoints while it works', async () => {
    const { store, bus, startWorker } = await setup();
    await startWorker();
    const job = facts('long', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
  });

  test('gives its jobs back when it is stopped, and another goes on from there', async () => {
    const { store, bus, startWorker } = await setup();
    const first = await startWorker();
    const job = facts('handed over', LONG);
    await submit(store, bus, [job]);
    await until(async () => (await positionOf(store, job)) > 1);
    await first.stop();
    await first.stop();
    const position = await positionOf(store, job);
    expect(await ownerOf(store, job)).toBeNull();
    await startWorker();
    await until(async () => (await positionOf(store, job)) > position);
    expect(await ownerOf(store, job)).toBe('worker-2');
  });

  test('drops a job that is cancelled, at once', async () => {
    const { store, bus, startWorker } = await setup();
    await startWorker({ renewMs: 1e6 });
    const jobs = [facts('cancelled', LONG), facts('kept', LONG)] as const;
    await submit(store, bus, jobs);
    await until(async () => (await ownerOf(store, jobs[0])) === 'worker-1');
    await store.cancel('default', [jobs[0].id]);
    await bus.publish('control', [{ kind: 'cancel', id: jobs[0].id }]);
    let held = 2;
    await bus.subscribe('alive', { group: null, maxBatch: 1 }, ({ messages }) => {
      held = messages[0]!.jobs;
      return Promise.resolve();
    });
    await until(() => Promise.resolve(held === 1));
    expect(await viewOf(store, jobs[0])).toMatchObject({ result: { outcome: 'cancelled' } });
  });

  test('shares its jobs with a worker that joins', async () => {
    const { store, bus, startWorker } = await setup();
    // One that takes everything, whatever it holds already.
    await startWorker({ holdSeconds: Infinity });
    const jobs = Array.from({ length: 12 }, (_, i) => facts(`shared ${i}`, LONG));
    await submit(store, bus, jobs);
    const owners = async (): Promise<(string | null)[]> =>
      Promise.all(jobs.map((job) => ownerOf(store, job)));
    await until(async () => (await owners()).every((owner) => owner === 'worker-1'));
    await startWorker();
    await until(async () => (await owners()).filter((owner) => owner === 'worker-2').length >= 2);
  });

  test('finds jobs that it owns without knowing, when the answer to a claim got lost', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 1;
    const forgetful: JobStore = Object.assign(Object.create(store) as JobStore, bound(store), {
      claim: async (...args: Parameters<JobStore['claim']>) => {
        const jobs = await store.claim(...args);
        if (jobs.length > 0 && failures-- > 0) throw new StoreUnavailableError('the answer got lost');
        return jobs;
      },
    });
    const job = facts('lost claim', 5_000);
    await submit(store, bus, [job], false);
    await startWorker({}, forgetful);
    await until(() => isDone(store, job));
    expect(failures).toBeLessThan(1);
  });

  test('keeps results while the store is away, and writes them when it is back', async () => {
    const { store, bus, startWorker } = await setup();
    let failures = 3;
    const flaky: JobStore = Object.assign(Object.create(store) as JobStore, bound(store), {
      complete: (...args: Parameters<JobStore['complete']>) =>
        failures-- > 0 ? Promise.reject(new StoreUnavailableError('away')) : store.complete(...args),
    });
    await startWorker({}, flaky);
    const job = facts('late', 5_000);
    await submit(store, bus, [job]);
    await until(() => isDone(store, job));
    expect(failures).toBe(-1);
  });

  test('raises an alarm when its digest contradicts the stored one, which stays', async () => {
    const { store, bus, logger, startWorker } = await setup();
    const wrong = chainOf('a bit has flipped');
    const beaten: JobStore = Object.assign(Object.create(store) as JobStore, bound(store), {
      complete: async (batch: readonly Completion[]) => {
        await store.complete(batch.map((completion) => ({ ...completion, digest: wrong })));
        return store.complete(batch);
      },
    });
    await startWorker({}, beaten);
    const job = facts('contradicted', 5_000);
    await submit(store, bus, [job]);
    const alarm = { level: 'error', fields: { job: job.id, position: 5_000 } };
    await until(() => Promise.resolve(logger.records.some(({ level }) => level === 'error')));
    expect(logger.records.find(({ level }) => level === 'error')).toMatchObject(alarm);
    expect(await viewOf(store, job)).toMatchObject({ result: { digest: wrong } });
  });
});

/** The methods of a store, tied to it, so that a copy can replace some. */
function bound(store: JobStore): Partial<JobStore> {
  const names = [
    'submit',
    'get',
    'list',
    'claim',
    'checkpoint',
    'complete',
    'release',
    'owned',
    'renew',
    'sweep',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, (store[name] as () => unknown).bind(store)]));
}
