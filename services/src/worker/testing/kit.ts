import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryBus } from '../../adapters/embedded/memory-bus.ts';
import { createSqliteStore } from '../../adapters/embedded/sqlite-store.ts';
import { EnginePool } from '../../hashing/engine-pool.ts';
import { openKernel } from '../../hashing/select.ts';
import { chainOf } from '../../jobs/digest.ts';
import { jobFacts } from '../../jobs/id.ts';
import type { JobFacts, JobView } from '../../jobs/job.ts';
import { dispatchTopic } from '../../jobs/messages.ts';
import type { Bus } from '../../ports/bus.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { noopMetrics } from '../../runtime/noop-telemetry.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import type { WorkerDeps } from '../deps.ts';
import { defaultWorkerSettings, type WorkerSettings } from '../settings.ts';
import { Worker } from '../worker.ts';

const LIMIT_MS = 20_000;
export const LONG = 1e12;

/** Everything happens more often than in earnest. */
const HASTY = { renewMs: 100, aliveMs: 50, pollMs: 50 };

/** Workers on a store and a bus of one process, all closed by `close`. */
export async function startWorkshop() {
  const closing: (() => Promise<unknown>)[] = [];
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
    own: Partial<Pick<WorkerDeps, 'store' | 'bus' | 'clock' | 'onFault'>> = {},
  ): Promise<Worker> => {
    const { lanes } = openKernel('wasm');
    const hasher = new EnginePool({ backend: 'wasm', reason: '', cpu: '', features: [], engines: 1, lanes });
    const deps: WorkerDeps = {
      ...{ store, bus, clock: systemClock, hasher, logger, metrics: noopMetrics },
      settings: { ...defaultWorkerSettings(`worker-${++workers}`, 'test'), ...HASTY, ...settings },
      usage: () => Promise.resolve({ cpu: 0, disk: null }),
      onFault: (error) => {
        throw error;
      },
      ...own,
    };
    const worker = new Worker(deps);
    closing.push(() => worker.stop());
    await worker.start();
    return worker;
  };
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each();
  };
  return { store, bus, logger, startWorker, close };
}

export const facts = (name: string, iterations: number): JobFacts =>
  jobFacts('default', chainOf(name), iterations);

export function digestOf({ chain, iterations }: JobFacts): string {
  let value = Buffer.from(chain, 'hex');
  for (let i = 1; i < iterations; i++) value = hash('sha512', value, 'buffer');
  return value.toString('hex');
}

/** As an endpoint does it; without `announce`, as if the message had been lost. */
export async function submit(
  store: JobStore,
  bus: Bus,
  jobs: readonly JobFacts[],
  announce = true,
): Promise<void> {
  for (const answer of await store.submit(jobs)) {
    if (answer.kind !== 'created' || !announce) continue;
    const { id, iterations, position } = answer.job;
    await bus.publish(dispatchTopic(answer.job.class), [{ id, cost: iterations - position }]);
  }
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('Nothing came of it');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const viewOf = async (store: JobStore, { id }: JobFacts): Promise<JobView> =>
  (await store.get('default', [id]))[0]!;
export const isDone = async (store: JobStore, job: JobFacts): Promise<boolean> =>
  (await viewOf(store, job)).kind === 'result';
export const ownerOf = async (store: JobStore, job: JobFacts): Promise<string | null> => {
  const view = await viewOf(store, job);
  return view.kind === 'live' ? view.job.owner : null;
};
export const positionOf = async (store: JobStore, job: JobFacts): Promise<number> => {
  const view = await viewOf(store, job);
  return view.kind === 'live' ? view.job.position : view.result.iterations;
};

/** A store with some methods of its own. */
export function storeWith(store: JobStore, own: Partial<JobStore>): JobStore {
  return Object.assign(Object.create(store) as JobStore, bound(store), own);
}

/** The methods of a store, tied to it, so that a copy can replace some. */
function bound(store: JobStore): Partial<JobStore> {
  const names = [
    'submit',
    'trouble',
    'now',
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
