import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Client } from '../../e2e/lib/client.ts';
import { startService, type Service } from '../../e2e/lib/service.ts';
import { percentile, rounded } from '../../e2e/lib/statistics.ts';
import { submitOneByOne } from './latency.ts';
import { startPostgres, startRedis } from './peer-servers.ts';
import { median, printMachine, printResult } from './report.ts';
import { UNLIMITED } from './service.ts';
import { tinyJobs } from './tiny-jobs.ts';

const exec = promisify(execFile);

const HELP = `Side by side, in one run: our service, BullMQ on Redis (appendfsync everysec) and graphile-worker on PostgreSQL.

  npm run bench -- peers --scripts FOLDER

FOLDER holds bullmq.mjs and graphile.mjs, which print lines of "peer | what | median | min-max | n", with a
package.json. Redis and PostgreSQL are started from what is installed; what is missing is skipped by name.

tinyJobs…  50,000 jobs of one iteration: our rate, submitted, finished and synced, by the peer's best rate of finishing
           jobs that were there before
idle…      p50 from submit to result of one job at a time: the peer's by ours (above 1: we are faster)`;

/** Where a peer's own script says what it measured. */
interface Peer {
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      scripts: { type: 'string', default: '../shared/bench/peers' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const source = resolve(values.scripts);
  if (!existsSync(join(source, 'bullmq.mjs'))) throw new Error(`${source} has no bullmq.mjs; see --help`);
  printMachine();
  const dir = await mkdtemp(join(tmpdir(), 'hashcluster-peers-'));
  const [redis, postgres] = [await startRedis(), await startPostgres()];
  const service = await startService({ dataDir: join(dir, 'data'), env: UNLIMITED });
  try {
    const scripts = join(dir, 'scripts');
    await cp(source, scripts, { recursive: true });
    // Their package.json names exact versions. A lock file may name platforms that a registry does not have.
    await exec('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: scripts,
    });
    const peers: Peer[] = [];
    if (redis)
      peers.push({
        name: 'Bullmq',
        script: join(scripts, 'bullmq.mjs'),
        env: { REDIS_PORT: `${redis.port}` },
      });
    else console.log('skipped: BullMQ (redis-server is not installed)');
    const url = `postgres://postgres@127.0.0.1:${postgres?.port}/postgres`;
    if (postgres)
      peers.push({ name: 'Graphile', script: join(scripts, 'graphile.mjs'), env: { PG_URL: url } });
    else console.log('skipped: graphile-worker (PostgreSQL is not installed)');
    printResult('peers', await compare(service, peers));
  } finally {
    await Promise.all([service.stop(), redis?.stop(), postgres?.stop()]);
    await rm(dir, { recursive: true, force: true });
  }
}

async function compare(service: Service, peers: readonly Peer[]): Promise<Record<string, number>> {
  const ratios: Record<string, number> = {};
  const ours = [await ourRate(service)];
  const theirs = new Map<string, number>();
  for (const peer of peers) {
    theirs.set(peer.name, Math.max(...(await measure(peer, 'A', 'no-op'))));
    ours.push(await ourRate(service));
  }
  for (const [name, rate] of theirs) ratios[`tinyJobs${name}`] = rounded(median(ours) / rate);
  for (const peer of peers) {
    const before = await ourLatency(service);
    const [p50] = await measure(peer, 'C', 'latency');
    const after = await ourLatency(service);
    ratios[`idle${peer.name}`] = rounded((2 * p50!) / (before + after));
  }
  return ratios;
}

async function ourRate(service: Service): Promise<number> {
  const rate = median([await tinyJobs(service), await tinyJobs(service), await tinyJobs(service)]);
  console.log(`HashCluster | 50,000 jobs of one iteration in NDJSON batches, jobs/s | ${Math.round(rate)}`);
  return rate;
}

async function ourLatency(service: Service): Promise<number> {
  const times = await submitOneByOne(new Client(service.url), `idle ${Date.now()}`, 1);
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  console.log(`HashCluster | submit to result, ms | p50 ${p50.toFixed(2)} | p99 ${p99.toFixed(2)}`);
  return p50;
}

/** Runs one mode of a peer's script; the medians of the lines whose text has the word. */
async function measure(peer: Peer, mode: string, word: string): Promise<number[]> {
  const env = { ...process.env, ...peer.env };
  const { stdout } = await exec(process.execPath, [peer.script, mode], {
    env,
    timeout: 900_000,
    maxBuffer: 1 << 24,
  });
  const lines = stdout.split('\n').filter((line) => line.includes(' | '));
  console.log(lines.join('\n'));
  return lines.filter((line) => line.includes(word)).map((line) => Number(line.split(' | ')[2]));
}
