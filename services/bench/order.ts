import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import mongoose from 'mongoose';
import type { Running } from '../../e2e/lib/child.ts';
import { Client, until } from '../../e2e/lib/client.ts';
import { startRole } from '../../e2e/lib/service.ts';
import { percentile, rounded } from '../../e2e/lib/statistics.ts';
import { submitAll } from '../../e2e/lib/submit-all.ts';
import { needServer } from './need-server.ts';
import { printMachine, printResult } from './report.ts';
import { UNLIMITED } from './service.ts';

const HELP = `Equal jobs wait, in the order in which they were submitted; then one worker begins. When is each of them done?

  npm run bench -- order [--jobs 60000] [--iterations 3000] [--client platformatic]

early, late  seconds by which a job is done before, or after, its turn: the turn of the n-th that was submitted is
             when the n-th is done (p50, p95, the most). Strictly oldest first is 0 for all.
fifths       share done of each fifth of the jobs, in the order of submission, when a quarter of all is done`;

const DRAIN_MS = 10 * 60_000;
const ASK_EVERY_MS = 500;
const FIFTHS = 5;

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      jobs: { type: 'string', default: '60000' },
      iterations: { type: 'string', default: '3000' },
      client: { type: 'string', default: 'platformatic' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const [uri, brokers] = [await needServer('mongodb'), await needServer('kafka')];
  const name = `hashcluster-bench-${randomUUID().slice(0, 8)}`;
  const env = {
    ...{ ...UNLIMITED, MONGODB_URI: uri, MONGODB_DATABASE: name, HASH_ENGINES: '1', LOG_LEVEL: 'error' },
    ...{ KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: `${name}.`, KAFKA_CLIENT: values.client },
  };
  const running: Running[] = [];
  const database = await mongoose.createConnection(uri, { dbName: name }).asPromise();
  try {
    const endpoint = await startRole('endpoint', { env });
    running.push(endpoint);
    const ids = await submitAll([endpoint.url], {
      ...{ count: Number(values.jobs), iterations: Number(values.iterations), inFlight: 1 },
      data: (number) => `order ${name} ${number}`,
    });
    running.push(await startRole('worker', { env }));
    await drained(endpoint.url);
    const found = await database.collection<Done>('results').find().toArray();
    const doneAt = new Map(found.map(({ _id, finishedAt }) => [_id, finishedAt.getTime()]));
    report(ids.map((id) => doneAt.get(id)!));
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    await database.dropDatabase();
    await database.close();
  }
}

interface Done {
  readonly _id: string;
  readonly finishedAt: Date;
}

async function drained(url: string): Promise<void> {
  const client = new Client(url);
  const isDone = async (): Promise<boolean> => {
    const { running, queued } = (await client.cluster()).backlog;
    return running === 0 && queued.every(({ jobs }) => jobs === 0);
  };
  await until('all jobs are done', DRAIN_MS, isDone, ASK_EVERY_MS);
}

/** @param times when each job was done, in the order of submission; milliseconds */
function report(times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const [begin, end] = [sorted[0]!, sorted.at(-1)!];
  // In seconds; the machine's own ups and downs are in neither: the n-th that is done sets the time of the n-th turn.
  const off = times.map((time, n) => (time - sorted[n]!) / 1_000);
  const spread = (values: readonly number[]) => ({
    p50: rounded(percentile(values, 0.5)),
    p95: rounded(percentile(values, 0.95)),
    most: rounded(percentile(values, 1)),
  });
  const early = spread(off.map((each) => Math.max(0, -each)));
  const late = spread(off.map((each) => Math.max(0, each)));
  const quarter = sorted[times.length >> 2]!;
  const size = times.length / FIFTHS;
  const fifths = Array.from({ length: FIFTHS }, (_, i) => {
    const fifth = times.slice(i * size, (i + 1) * size);
    return rounded((100 * fifth.filter((time) => time <= quarter).length) / fifth.length, 0);
  });
  const seconds = rounded((end - begin) / 1_000);
  console.log(
    `${times.length} jobs in ${seconds} s; off their turn by, in seconds: early`,
    early,
    'late',
    late,
  );
  console.log(`when a quarter was done, of each fifth: ${fifths.join(', ')} %`);
  printResult('order', { lateP95: late.p95 }, { seconds, early, late, fifths });
}
