import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import mongoose from 'mongoose';
import type { Running } from '../../e2e/lib/child.ts';
import { Client, until } from '../../e2e/lib/client.ts';
import { startRole, type Service } from '../../e2e/lib/service.ts';
import { percentile, rounded } from '../../e2e/lib/statistics.ts';
import { submitOneByOne } from './latency.ts';
import { needServer } from './need-server.ts';
import { bestOf, latencyOf, measurePeer, withPeers, type Peer } from './peer-scripts.ts';
import { rawRate } from './raw-engines.ts';
import { median, printMachine, printResult } from './report.ts';
import { UNLIMITED } from './service.ts';
import { tinyJobs, workerJobs } from './tiny-jobs.ts';

const HELP = `Endpoints and workers on MongoDB (three members, majority and journal) and Kafka, side by side with BullMQ on Redis
(appendfsync everysec), pg-boss and graphile-worker on PostgreSQL, in one run; everything shares this machine's cores.

  npm run bench -- cluster [--scripts FOLDER] [--rounds 3] [--only tinyJobs,workerJobs,idle]

tinyJobs…   50,000 jobs of one iteration, end to end, by the peer's end to end: its best rates of adding jobs in bulk and
            of finishing them, one after the other; tinyJobsFinishing…: by its best rate of finishing alone
workerJobs  20,000 jobs of 3,000 iterations, too long to be done inline: share of what hashing alone allows here
idle…       p50 from submit to result of one job at a time: the peer's by ours (above 1: we are faster)`;

const WORKER_JOBS = { count: 20_000, iterations: 3_000 };
const READY_MS = 60_000;

interface Cluster {
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      scripts: { type: 'string', default: '../shared/bench/peers' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: 'tinyJobs,workerJobs,idle' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const only = values.only.split(',');
  const rounds = Number(values.rounds);
  const cluster = await startCluster();
  const ratios: Record<string, number> = {};
  try {
    if (only.includes('workerJobs')) ratios['workerJobs'] = await ofHashingAlone(cluster, rounds);
    if (only.includes('tinyJobs') || only.includes('idle'))
      await withPeers(values.scripts, ['Bullmq', 'PgBoss', 'Graphile'], async (peers) => {
        if (only.includes('tinyJobs')) Object.assign(ratios, await byRate(cluster, peers, rounds));
        if (only.includes('idle')) Object.assign(ratios, await byLatency(cluster, peers));
      });
    printResult('cluster', ratios);
  } finally {
    await cluster.stop();
  }
}

/** Two endpoints and two workers of one engine each, in a database of their own. */
async function startCluster(): Promise<Cluster> {
  const [uri, brokers] = [await needServer('mongodb3'), await needServer('kafka')];
  const name = `hashcluster-bench-${randomUUID().slice(0, 8)}`;
  const env = {
    ...{ ...UNLIMITED, MONGODB_URI: uri, MONGODB_DATABASE: name, HASH_ENGINES: '1', LOG_LEVEL: 'error' },
    ...{ KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: `${name}.` },
  };
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((each) => each.stop()));
    const connection = await mongoose.createConnection(uri, { dbName: name }).asPromise();
    await connection.dropDatabase();
    await connection.close();
  };
  try {
    const endpoints: Service[] = [];
    for (let i = 0; i < 2; i++) running.push((endpoints[i] = await startRole('endpoint', { env })));
    for (let i = 0; i < 2; i++) running.push(await startRole('worker', { env }));
    const urls = endpoints.map(({ url }) => url);
    for (const url of urls)
      await until('the endpoint knows both workers', READY_MS, async () => {
        const workers = await new Client(url).workers();
        return workers.filter(({ state }) => state === 'live').length === 2;
      });
    return { urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ofHashingAlone({ urls }: Cluster, rounds: number): Promise<number> {
  const { count, iterations } = WORKER_JOBS;
  const shares: number[] = [];
  await workerJobs(urls, count / 4, iterations);
  for (let i = 0; i < rounds; i++) {
    const alone = (await rawRate(count, iterations)) / iterations;
    const rate = await workerJobs(urls, count, iterations);
    shares.push(rate / alone);
    console.log(
      `HashCluster | 20,000 jobs of 3,000 iterations, jobs/s | ${Math.round(rate)} | hashing alone ${Math.round(alone)}`,
    );
  }
  return rounded(median(shares));
}

async function byRate(
  { urls }: Cluster,
  peers: readonly Peer[],
  rounds: number,
): Promise<Record<string, number>> {
  const ours: number[] = [];
  const measureOurs = async (): Promise<void> => {
    for (let i = 0; i < rounds; i++) ours.push(await tinyJobs(urls));
    console.log(`HashCluster | 50,000 jobs of one iteration, jobs/s | ${Math.round(median(ours))}`);
  };
  await measureOurs();
  const ratios: Record<string, number> = {};
  for (const peer of peers) {
    const measured = await measurePeer(peer, 'A');
    await measureOurs();
    const [added, finished] = [bestOf(measured, 'per call'), bestOf(measured, 'no-op')];
    const endToEnd = 1 / (1 / added + 1 / finished);
    ratios[`tinyJobs${peer.name}`] = rounded(median(ours) / endToEnd);
    ratios[`tinyJobsFinishing${peer.name}`] = rounded(median(ours) / finished);
  }
  return ratios;
}

async function byLatency({ urls }: Cluster, peers: readonly Peer[]): Promise<Record<string, number>> {
  const client = new Client(urls[0]!);
  const ratios: Record<string, number> = {};
  const ours: number[] = [];
  const measureOurs = async (): Promise<void> => {
    for (const iterations of [1, 3_000]) {
      const times = await submitOneByOne(client, `idle ${Date.now()}`, iterations);
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
      if (iterations === 1) ours.push(p50);
      console.log(
        `HashCluster | submit to result of ${iterations} iterations, ms | p50 ${p50.toFixed(2)} | p99 ${p99.toFixed(2)}`,
      );
    }
  };
  for (const peer of peers) {
    await measureOurs();
    const p50 = await latencyOf(peer);
    await measureOurs();
    ratios[`idle${peer.name}`] = rounded(p50 / median(ours.slice(-2)));
  }
  return ratios;
}
