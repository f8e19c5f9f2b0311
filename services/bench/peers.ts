import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from '../../e2e/lib/client.ts';
import { startService, type Service } from '../../e2e/lib/service.ts';
import { percentile, rounded } from '../../e2e/lib/statistics.ts';
import { submitOneByOne } from './latency.ts';
import { bestOf, latencyOf, measurePeer, withPeers, type Peer } from './peer-scripts.ts';
import { median, printMachine, printResult } from './report.ts';
import { UNLIMITED } from './service.ts';
import { tinyJobs } from './tiny-jobs.ts';

const HELP = `Side by side, in one run: our service, BullMQ on Redis (appendfsync everysec) and graphile-worker on PostgreSQL.

  npm run bench -- peers --scripts FOLDER

FOLDER holds bullmq.mjs and graphile.mjs, which print lines of "peer | what | median | min-max | n", with a
package.json. Redis and PostgreSQL are started from what is installed; what is missing is skipped by name.

tinyJobs…  50,000 jobs of one iteration: our rate, submitted, finished and synced, by the peer's best rate of finishing
           jobs that were there before
idle…      p50 from submit to result of one job at a time: the peer's by ours (above 1: we are faster)`;

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
  printMachine();
  const dataDir = await mkdtemp(join(tmpdir(), 'hashcluster-bench-'));
  const service = await startService({ dataDir, env: UNLIMITED });
  try {
    await withPeers(values.scripts, ['Bullmq', 'Graphile'], async (peers) =>
      printResult('peers', await compare(service, peers)),
    );
  } finally {
    await service.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function compare(service: Service, peers: readonly Peer[]): Promise<Record<string, number>> {
  const ratios: Record<string, number> = {};
  const ours = [await ourRate(service)];
  const theirs = new Map<string, number>();
  for (const peer of peers) {
    theirs.set(peer.name, bestOf(await measurePeer(peer, 'A'), 'no-op'));
    ours.push(await ourRate(service));
  }
  for (const [name, rate] of theirs) ratios[`tinyJobs${name}`] = rounded(median(ours) / rate);
  for (const peer of peers) {
    const before = await ourLatency(service);
    const p50 = await latencyOf(peer);
    const after = await ourLatency(service);
    ratios[`idle${peer.name}`] = rounded((2 * p50) / (before + after));
  }
  return ratios;
}

async function ourRate({ url }: Service): Promise<number> {
  const rate = median([await tinyJobs([url]), await tinyJobs([url]), await tinyJobs([url])]);
  console.log(`HashCluster | 50,000 jobs of one iteration in NDJSON batches, jobs/s | ${Math.round(rate)}`);
  return rate;
}

async function ourLatency(service: Service): Promise<number> {
  const times = await submitOneByOne(new Client(service.url), `idle ${Date.now()}`, 1);
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  console.log(`HashCluster | submit to result, ms | p50 ${p50.toFixed(2)} | p99 ${p99.toFixed(2)}`);
  return p50;
}
