import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import mongoose from 'mongoose';
import { rounded } from '../../e2e/lib/statistics.ts';
import { createMongoStore } from '../src/adapters/mongo/mongo-store.ts';
import { COST_CLASSES } from '../src/jobs/cost.ts';
import { chainOf } from '../src/jobs/digest.ts';
import { jobFacts } from '../src/jobs/id.ts';
import type { JobFacts } from '../src/jobs/job.ts';
import { DEFAULT_RETENTION_MS } from '../src/jobs/limits.ts';
import type { JobStore } from '../src/ports/job-store.ts';
import { RecordingLogger } from '../src/runtime/testing/recording-logger.ts';
import { needServer } from './need-server.ts';
import { median, printMachine, printResult, si } from './report.ts';

const HELP = `The store on MongoDB by itself: what it takes in and gives out, on one member and on three; what a long queue costs;
what it does when there is nothing to do.

  npm run bench -- mongo [--uri mongodb://…] [--jobs 20000] [--queued 1000000]

Without --uri it asks e2e/servers for members on this machine, which share its cores. Ratios: three members by one,
and the rates and times with a long queue by those with 10,000 jobs. 0 for --queued leaves that out.`;

const BATCH = 1_000;
const CLAIM = 500;
const SHORT_QUEUE = 10_000;
const WORKER = 'bench';
const LEASE_MS = 3_600_000;

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      uri: { type: 'string' },
      jobs: { type: 'string', default: '20000' },
      queued: { type: 'string', default: '1000000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const jobs = Number(values.jobs);
  const one = values.uri ?? (await needServer('mongodb'));
  const ratios: Record<string, number> = {};
  const rates = await withStore(one, (store) => measureRates(store, jobs));
  print('one member', rates);
  if (values.uri === undefined) {
    const three = await withStore(await needServer('mongodb3'), (store) => measureRates(store, jobs));
    print('three members', three);
    for (const [name, rate] of Object.entries(three)) ratios[name] = rounded(rate / rates[name]!);
  }
  const queued = Number(values.queued);
  if (queued > 0) Object.assign(ratios, await withStore(one, (store) => measureQueue(store, queued)));
  const idle = await idleCommands(one);
  console.log(`idle: ${idle.toFixed(2)} commands per second of an endpoint and a worker in one process`);
  printResult('mongo', ratios, { rates, idleCommandsPerSecond: rounded(idle) });
}

async function withStore<T>(
  uri: string,
  action: (store: JobStore) => Promise<T>,
  onCommand: (name: string) => void = () => undefined,
): Promise<T> {
  const database = `hashcluster-bench-${randomUUID().slice(0, 8)}`;
  const options = { retentionMs: DEFAULT_RETENTION_MS, sharedCache: true, reuseIterations: 1_000 };
  const store = createMongoStore({ uri, database, ...options, logger: new RecordingLogger(), onCommand });
  try {
    await store.start();
    return await action(store);
  } finally {
    await store.stop();
    const connection = await mongoose.createConnection(uri, { dbName: database }).asPromise();
    await connection.dropDatabase();
    await connection.close();
  }
}

function newJobs(count: number, iterations: number): JobFacts[] {
  const name = randomUUID();
  return Array.from({ length: count }, (_, i) => jobFacts('default', chainOf(`${name} ${i}`), iterations));
}

function batchesOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH) }, (_, i) =>
    items.slice(i * BATCH, (i + 1) * BATCH),
  );
}

/** Jobs per second of doing something to all of them, a batch after the other. */
async function rateOf<T>(items: readonly T[], action: (batch: T[]) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (const batch of batchesOf(items)) await action(batch);
  return (items.length * 1_000) / (performance.now() - start);
}

async function measureRates(store: JobStore, count: number): Promise<Record<string, number>> {
  const tiny = newJobs(count, 1).map((facts) => ({ ...facts, computed: { digest: facts.chain } }));
  const jobs = newJobs(count, 3_000);
  await store.renew(WORKER, LEASE_MS);
  await store.submit(newJobs(BATCH, 1).map((facts) => ({ ...facts, computed: { digest: facts.chain } })));
  return {
    submitComputed: await rateOf(tiny, (batch) => store.submit(batch)),
    submit: await rateOf(jobs, (batch) => store.submit(batch)),
    claim: await rateOf(jobs, (batch) => store.claim(WORKER, { ids: batch.map(({ id }) => id) })),
    complete: await rateOf(jobs, (batch) => store.complete(batch.map(completionOf))),
    get: await rateOf(jobs, (batch) =>
      store.get(
        'default',
        batch.map(({ id }) => id),
      ),
    ),
  };
}

function completionOf(facts: JobFacts): Parameters<JobStore['complete']>[0][number] {
  const work = {
    computed: facts.iterations - 1,
    worker: WORKER,
    createdAt: Date.now(),
    startedAt: Date.now(),
  };
  return { ...facts, digest: facts.chain, ...work };
}

function print(what: string, rates: Readonly<Record<string, number>>): void {
  const all = Object.entries(rates).map(([name, rate]) => `${name} ${si(rate)}/s`);
  console.log(`${what}: ${all.join(', ')}`);
}

/** The same with 10,000 queued and with very many: claim rate and time of the backlog, as ratios. */
async function measureQueue(store: JobStore, queued: number): Promise<Record<string, number>> {
  await store.renew(WORKER, LEASE_MS);
  await fill(store, SHORT_QUEUE);
  const short = await measureClaims(store);
  console.log(
    `with ${SHORT_QUEUE} queued: claim ${si(short.claim)}/s, backlog ${short.backlog.toFixed(1)} ms`,
  );
  const start = performance.now();
  await fill(store, queued - SHORT_QUEUE);
  console.log(`filled in ${((performance.now() - start) / 1_000).toFixed(0)} s`);
  const long = await measureClaims(store);
  console.log(`with ${queued} queued: claim ${si(long.claim)}/s, backlog ${long.backlog.toFixed(1)} ms`);
  return {
    claimWithLongQueue: rounded(long.claim / short.claim),
    backlogWithLongQueue: rounded(long.backlog / short.backlog),
  };
}

async function fill(store: JobStore, count: number): Promise<void> {
  const lanes = 4;
  const lane = async (): Promise<void> => {
    await rateOf(newJobs(Math.ceil(count / lanes), 900), (batch) => store.submit(batch));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Claims and gives back, so that the queue keeps its length. */
async function measureClaims(store: JobStore): Promise<{ claim: number; backlog: number }> {
  const times: number[] = [];
  let claimMs = 0;
  let claimed = 0;
  for (let round = 0; round < 16; round++) {
    const start = performance.now();
    const held = await store.claim(WORKER, { class: 0, limit: CLAIM });
    claimMs += performance.now() - start;
    claimed += held.length;
    await store.release(WORKER, held);
    const asked = performance.now();
    await store.backlog();
    times.push(performance.now() - asked);
    await sleep(50);
  }
  return { claim: (claimed * 1_000) / claimMs, backlog: median(times) };
}

/** What an endpoint (a sweep every 2 s) and a worker (every class asked every 2 s, the lease every 3 s) do all day. */
async function idleCommands(uri: string): Promise<number> {
  let commands = 0;
  const count = (name: string): void => {
    if (name !== 'endSessions') commands++;
  };
  const act = async (store: JobStore): Promise<number> => {
    const costOf = async (action: () => Promise<unknown>): Promise<number> => {
      commands = 0;
      await action();
      return commands;
    };
    const sweep = await costOf(() => store.sweep({ forgottenAfterMs: 30_000, limit: 1_000 }));
    const renew = await costOf(() => store.renew(WORKER, 10_000));
    let claims = 0;
    for (const costClass of COST_CLASSES)
      claims += await costOf(() => store.claim(WORKER, { class: costClass, limit: 8 }));
    console.log(
      `commands: ${sweep} for a sweep, ${claims} for claims of every class, ${renew} for a renewal`,
    );
    return sweep / 2 + claims / 2 + renew / 3;
  };
  return withStore(uri, act, count);
}
