import { hash } from 'node:crypto';
import type { Collection } from 'mongodb';
import { percentile, rounded } from '../lib/statistics.ts';
import { submitAll } from '../lib/submit-all.ts';
import type { StoreReader } from '../audit/store-reader.ts';
import type { Cluster } from './cluster.ts';
import { submit, withCluster, type Bench, type Measurement } from './measure.ts';
import { pause, within } from './scenario.ts';

const SIZES = [10_000, 1_000_000] as const;
const BATCH = 10_000;
/** What is filled in is short for its class, so that claiming and not hashing is what takes time. */
const ITERATIONS = 3;
const CLAIMS = 8_000;
const READS = 12;
/** An endpoint asks the store once a second at most. */
const BETWEEN_READS_MS = 1_100;
const LIMIT_MS = 180_000;
/** Submitted ones are too long to be done inline. */
const SUBMITTED_ITERATIONS = 3_000;

/** The queue as long as it gets: filled past the endpoints, in the form that the store itself writes. */
export const QUEUE: Measurement = {
  name: 'queue',
  says: 'with 1,000,000 queued jobs claims and GET /v1/cluster take at most twice as long as with 10,000',
  run: (bench: Bench) => compare(bench, (cluster, size) => fill(cluster, size)),
};

/** The same, submitted through an endpoint as clients do it. */
export const QUEUE_SUBMITTED: Measurement = {
  name: 'queue-submitted',
  says: 'the same where all 1,000,000 jobs come in by HTTP, and their ids wait on Kafka',
  run: (bench: Bench) => compare(bench, (cluster, size) => submitQueue(cluster, bench.seed, size)),
};

type Fill = (cluster: Cluster, size: number) => Promise<void>;

async function compare(bench: Bench, fillIn: Fill) {
  const few = await withQueue(bench, SIZES[0], fillIn);
  const many = await withQueue(bench, SIZES[1], fillIn);
  const claims = few.claimsPerSecond / many.claimsPerSecond;
  const reads = many.clusterMs.p50 / few.clusterMs.p50;
  return {
    few,
    many,
    claimRatio: rounded(claims),
    readRatio: rounded(reads),
    met: claims <= 2 && reads <= 2,
  };
}

interface QueueFigures {
  readonly queued: number;
  readonly filledPerSecond: number;
  readonly clusterMs: { readonly p50: number; readonly max: number };
  readonly submitMs: { readonly p50: number; readonly max: number };
  readonly claimsPerSecond: number;
}

function withQueue(bench: Bench, size: number, fillIn: Fill): Promise<QueueFigures> {
  const options = { name: `queue-${size}`, endpoints: 1, workers: 0, env: { FORGOTTEN_AFTER: '24h' } };
  return withCluster(bench, options, async (cluster) => {
    const began = performance.now();
    await fillIn(cluster, size);
    const filledPerSecond = Math.round((size * 1_000) / (performance.now() - began));
    bench.say(`queue: ${size} jobs are queued`);
    const { url } = cluster.endpoints[0]!;
    const clusterMs = await timesOf(async () => {
      const answer = await fetch(`${url}/v1/cluster`);
      if (!answer.ok) throw new Error(`GET /v1/cluster: ${answer.status}`);
      await answer.arrayBuffer();
    });
    let made = 0;
    const submitMs = await timesOf(() => submit(url, { data: `${bench.seed}/${made++}`, iterations: 5_000 }));
    const claimsPerSecond = Math.round(await claimRate(cluster));
    return { queued: size, filledPerSecond, clusterMs, submitMs, claimsPerSecond };
  });
}

interface JobDoc {
  readonly _id: string;
}

async function fill({ store }: Cluster, size: number): Promise<void> {
  const jobs: Collection<JobDoc> = store.db.collection<JobDoc>('jobs');
  for (let from = 0; from < size; from += BATCH) {
    const now = new Date();
    const docs = Array.from({ length: BATCH }, (_, i) => {
      const chain = hash('sha512', `queue/${from + i}`, 'buffer');
      const times = { createdAt: now, queuedAt: now };
      const facts = { tenant: 'default', chain, iterations: ITERATIONS, position: 1, class: 0, owner: '' };
      return { _id: `0${hash('sha256', chain).slice(0, 25)}`, ...facts, attempts: 0, ...times };
    });
    await jobs.insertMany(docs, { ordered: false, writeConcern: { w: 'majority' } });
  }
  await checkQueued(store, size);
}

async function submitQueue({ endpoints, store }: Cluster, seed: string, size: number): Promise<void> {
  const data = (number: number): string => `${seed}/queued/${number}`;
  const jobs = { count: size, iterations: SUBMITTED_ITERATIONS, data, state: 'queued', inFlight: 4 } as const;
  await submitAll([endpoints[0]!.url], jobs);
  await checkQueued(store, size);
}

async function checkQueued(store: StoreReader, size: number): Promise<void> {
  const written = await store.count();
  if (written !== size) throw new Error(`${written} of ${size} jobs are queued`);
}

async function timesOf(action: () => Promise<unknown>): Promise<{ p50: number; max: number }> {
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    const began = performance.now();
    await action();
    times.push(performance.now() - began);
    await pause(BETWEEN_READS_MS);
  }
  return { p50: rounded(percentile(times, 0.5), 1), max: rounded(Math.max(...times), 1) };
}

/** Jobs per second that a worker claims straight from the store, in the first 8,000. */
async function claimRate(cluster: Cluster): Promise<number> {
  const worker = await cluster.addWorker();
  const claimed = (): Promise<number> => worker.metric('hashcluster_worker_jobs_claimed_total');
  await within(LIMIT_MS, async () => (await claimed()) > 0);
  const [before, from] = [await claimed(), performance.now()];
  const reached = await within(LIMIT_MS, async () => (await claimed()) >= CLAIMS);
  if (reached === null) throw new Error('The worker claims next to nothing');
  return (((await claimed()) - before) * 1_000) / (performance.now() - from);
}
