import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, type Item } from '../../e2e/lib/client.ts';
import { startService, type Service } from '../../e2e/lib/service.ts';
import { rounded } from '../../e2e/lib/statistics.ts';
import { latencyUnderLoad } from './latency.ts';
import { rawRate } from './raw-engines.ts';
import { median, printMachine, printResult, si } from './report.ts';
import { singleSubmits } from './single-submits.ts';

const HELP = `Jobs through HTTP against the raw engines on the same cores, and submits against bare express.

  npm run bench -- service [--rounds 3] [--only bigJobs,mixedJobs,singleSubmits,latency]

bigJobs        256 jobs of 2,000,000 iterations: share of the raw engines' rate
mixedJobs      1,000 jobs of log-uniform 1 … 1,000,000 iterations: share of the raw engines' rate
singleSubmits  one job a request, 64 connections, synced to disk: share of an express route that answers nothing
latency        short jobs while 256 jobs of 10^9 iterations run: p99, in slices, less their own hashing`;

const BIG = { jobs: 256, iterations: 2_000_000 };
const MIXED_JOBS = 1_000;

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: 'bigJobs,mixedJobs,singleSubmits,latency' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const only = values.only.split(',');
  const dataDir = await mkdtemp(join(tmpdir(), 'hashcluster-bench-'));
  const service = await startService({ dataDir, env: UNLIMITED });
  try {
    const ratios: Record<string, number> = {};
    if (only.includes('bigJobs') || only.includes('mixedJobs')) {
      Object.assign(ratios, await againstEngines(service, Number(values.rounds)));
    }
    if (only.includes('singleSubmits'))
      ratios['singleSubmits'] = await singleSubmits(service, Number(values.rounds));
    if (only.includes('latency')) Object.assign(ratios, await latencyUnderLoad(service));
    printResult('service', ratios);
  } finally {
    await service.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A bench is one client: what protects the service from such clients is measured elsewhere. */
export const UNLIMITED = { RATE_LIMIT_PER_ADDRESS: '100000000', RATE_LIMIT_TOTAL: '100000000' };

async function againstEngines(service: Service, rounds: number): Promise<Record<string, number>> {
  const client = new Client(service.url);
  const big: number[] = [];
  const mixed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const nonce = `${Date.now()}/${round}`;
    const before = await rawRate(BIG.jobs, BIG.iterations / 2);
    const bigRate = await rateOf(client, bigItems(nonce));
    const mixedRate = await rateOf(client, mixedItems(nonce));
    const raw = (before + (await rawRate(BIG.jobs, BIG.iterations / 2))) / 2;
    big.push(bigRate / raw);
    mixed.push(mixedRate / raw);
    console.log(
      `round ${round + 1}: raw ${si(raw)}it/s, bigJobs ${si(bigRate)}it/s, mixedJobs ${si(mixedRate)}it/s`,
    );
  }
  return { bigJobs: rounded(median(big), 3), mixedJobs: rounded(median(mixed), 3) };
}

const bigItems = (nonce: string): Item[] =>
  Array.from({ length: BIG.jobs }, (_, i) => ({ data: `big ${nonce} ${i}`, iterations: BIG.iterations }));

/** Log-uniform, evenly spread so that every round has the same work. */
const mixedItems = (nonce: string): Item[] =>
  Array.from({ length: MIXED_JOBS }, (_, i) => {
    const place = ((i * 617) % MIXED_JOBS) / (MIXED_JOBS - 1);
    return { data: `mixed ${nonce} ${i}`, iterations: Math.round(10 ** (6 * place)) };
  });

/** Iterations per second from the first byte of the submission to the last result. */
async function rateOf(client: Client, items: readonly Item[]): Promise<number> {
  const start = performance.now();
  let answers = await client.submitMany(items, 60);
  while (answers.some(({ status }) => status === 202)) answers = await client.submitMany(items, 60);
  const bad = answers.find(({ status }) => status !== 200);
  if (bad) throw new Error(`A job was not done: ${JSON.stringify(bad)}`);
  const seconds = (performance.now() - start) / 1_000;
  return items.reduce((sum, { iterations }) => sum + iterations - 1, 0) / seconds;
}
