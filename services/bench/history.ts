import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, type Item } from '../../e2e/lib/client.ts';
import { startService, type Service } from '../../e2e/lib/service.ts';
import { rounded } from '../../e2e/lib/statistics.ts';
import { median, printMachine, printResult, si } from './report.ts';
import { UNLIMITED } from './service.ts';

const HELP = `What history costs: submit, run and list with nothing in the store, and with a million finished jobs in it.

  npm run bench -- history [--jobs 1000000]

Ratios are times with history by times without, and memory (resident) at the end by memory after
the first tenth of the jobs.`;

const BATCH = 10_000;
const SAMPLES = 7;

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      jobs: { type: 'string', default: '1000000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const dir = await mkdtemp(join(tmpdir(), 'hashcluster-history-'));
  const empty = await startService({ dataDir: join(dir, 'empty'), env: UNLIMITED });
  const full = await startService({ dataDir: join(dir, 'full'), env: UNLIMITED });
  try {
    const memory = await fill(full, Number(values.jobs));
    const ratios: Record<string, number> = {};
    for (const [name, measure] of Object.entries(MEASURES)) {
      const [a, b] = await sample(empty, full, measure);
      console.log(`${name}: ${a.toFixed(2)} ms empty, ${b.toFixed(2)} ms with history`);
      ratios[name] = rounded(b / a);
    }
    printResult('history', { ...ratios, memory: rounded(memory) }, { jobs: Number(values.jobs) });
  } finally {
    await Promise.all([empty.stop(), full.stop()]);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Milliseconds that something takes. */
type Measure = (client: Client) => Promise<number>;

const MEASURES: Readonly<Record<string, Measure>> = {
  /** 200 jobs that are answered at once, one after another. */
  submit: (client) => timed(() => oneAfterAnother(client, 1)),
  /** 200 jobs that are queued, claimed, hashed and stored, one after another. */
  claim: (client) => timed(() => oneAfterAnother(client, 3_000)),
  submitBatch: (client) => timed(() => client.submitMany(items(2_000, 1))),
  claimBatch: (client) => timed(() => client.submitMany(items(2_000, 3_000), 60)),
  list: (client) => timed(() => list(client, 'limit=100')),
  listDone: (client) => timed(() => list(client, 'state=done&limit=100')),
  listFailed: (client) => timed(() => list(client, 'state=failed&limit=100')),
};

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

const items = (count: number, iterations: number): Item[] =>
  Array.from({ length: count }, () => ({ data: `history ${randomUUID()}`, iterations }));

async function oneAfterAnother(client: Client, iterations: number): Promise<void> {
  for (const item of items(200, iterations)) await client.submit(item, 60);
}

async function list(client: Client, query: string): Promise<void> {
  for (let i = 0; i < 20; i++) await client.list(query);
}

/** Interleaved; the medians. */
async function sample(empty: Service, full: Service, measure: Measure): Promise<[number, number]> {
  const [a, b] = [new Client(empty.url), new Client(full.url)];
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < SAMPLES; i++) {
    times[0].push(await measure(a));
    times[1].push(await measure(b));
  }
  return [median(times[0]), median(times[1])];
}

/** Fills the store; resident memory at the end by that after the first tenth. */
async function fill(service: Service, jobs: number): Promise<number> {
  const client = new Client(service.url);
  let early = 0;
  const start = performance.now();
  for (let done = 0; done < jobs; done += BATCH) {
    if (done >= jobs / 10 && early === 0) early = await residentBytes(service.pid);
    await client.submitMany(items(Math.min(BATCH, jobs - done), 1));
  }
  const late = await residentBytes(service.pid);
  const rate = (jobs * 1_000) / (performance.now() - start);
  console.log(`filled with ${jobs} jobs at ${si(rate)} jobs/s; memory ${si(early)}B, then ${si(late)}B`);
  return late / early;
}

/** Resident memory of a process, in bytes. Linux only. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1_024;
}
