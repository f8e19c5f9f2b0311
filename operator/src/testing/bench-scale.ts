import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Transport } from '../control/transport.ts';
import { freePort, startApiServer, type ApiServer } from './api-server.ts';
import type { BenchProcess } from './bench-process.ts';
import { installCrds } from './crds.ts';
import { FakeControllers } from './fake-controllers.ts';
import { HashClusters } from './hash-clusters.ts';
import { findApiServer } from './settings.ts';
import { until } from './stage.ts';
import { together } from './together.ts';

/*
 * How an operator bears many HashClusters: `npx tsc -b operator && node operator/src/testing/bench-scale.ts 1000` (default
 * 100). Ten pods each, on a real API server, faked where a kubelet would be. Prints memory, writes of a start that has
 * nothing to do, and how long a change waits. Not a test: it takes minutes, and its numbers depend on the machine.
 */
const NAMESPACE = 'bench';
const AT_ONCE = 16;
const LONG_MS = 3_600_000;
const QUIET_MS = 30_000;
const TOUCHED = 200;
const CHANGES_AT_ONCE = 4;
const LOOK_MS = 20;
/** As the image has it: types that are stripped while a process runs cost it memory. */
const MAIN = fileURLToPath(new URL('../../dist/testing/bench-process.js', import.meta.url));
/** As the image has them, in a container of the chart's 384 MiB; on a whole machine Node collects garbage late. */
const FLAGS = [
  ...['--max-old-space-size=168', '--max-semi-space-size=1'],
  ...['--no-opt', '--invocation-count-for-maglev=10000'],
];
/** Servers of others: nobody has to be asked. */
const SPEC = {
  ...{ mongodb: { external: { secretName: 'servers' } }, kafka: { external: { brokers: ['kafka:9092'] } } },
  ...{ endpoint: { replicas: { min: 4 } }, worker: { replicas: { min: 6 } } },
};

/** An operator in a process of its own. */
interface Process {
  readonly rssMiB: () => Promise<number>;
  readonly cpuSeconds: () => Promise<number>;
  readonly metrics: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

async function startProcess(server: ApiServer, folder: string): Promise<Process> {
  const port = await freePort();
  await writeFile(join(folder, 'ca.crt'), server.ca);
  await writeFile(join(folder, 'token'), server.token, { mode: 0o600 });
  const { hostname: host, port: apiPort } = new URL(server.url);
  const env = {
    ...{ WATCH_NAMESPACES: NAMESPACE, POD_NAMESPACE: NAMESPACE, LOG_LEVEL: 'error' },
    ...{ ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port), API_REQUESTS_PER_SECOND: '2000' },
  };
  const told: BenchProcess = { host, port: Number(apiPort), folder, env };
  const child = spawn(process.execPath, [...FLAGS, MAIN, JSON.stringify(told)], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { MALLOC_ARENA_MAX: '1' },
  });
  let isStopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      // What is measured of a process that is gone would never end.
      if (!isStopping) throw new Error(`The operator ended with ${code}`);
      resolve();
    });
  });
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return {
    metrics,
    rssMiB: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    },
    cpuSeconds: async () => sumOf(await metrics(), 'hashcluster_process_cpu_time'),
    stop: async () => {
      isStopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** The bound of the bucket that the 99th of 100 waits lies in, of those after a first look. */
function p99(before: string, after: string): string {
  const buckets = (text: string) =>
    [...text.matchAll(/hashcluster_operator_queue_wait_bucket\{.*?le="([^"]+)".*?\} (\d+)/g)].map(
      ([, bound, count]) => ({ bound: bound!, count: Number(count) }),
    );
  const earlier = buckets(before);
  const counts = buckets(after).map(({ bound, count }, at) => ({
    bound,
    count: count - (earlier[at]?.count ?? 0),
  }));
  const all = counts.at(-1)?.count ?? 0;
  return `${counts.find(({ count }) => count >= all * 0.99)?.bound ?? '?'} s (${all} rounds)`;
}

function say(what: string, value: string | number): void {
  process.stdout.write(`${what.padEnd(58)}${value}\n`);
}

async function makeSecret(transport: Transport): Promise<void> {
  const named = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'servers' } };
  const body = { ...named, stringData: { uri: 'mongodb://a/' } };
  await transport.request({ method: 'POST', path: `/api/v1/namespaces/${NAMESPACE}/secrets`, body });
}

/** All HashClusters, and the ten pods of each. */
async function make(clusters: HashClusters, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `c-${index}`);
  await together(names, AT_ONCE, async (name) => void (await clusters.create(name, SPEC)));
  return names;
}

async function settle(clusters: HashClusters, count: number): Promise<void> {
  await until(async () => {
    const all = await clusters.all();
    const settled = all.filter(({ status }) => {
      return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    });
    // The list is of megabytes.
    if (settled.length < count) await new Promise((resolve) => setTimeout(resolve, 2_000));
    return settled.length === count;
  }, LONG_MS);
}

/** From a change of a spec to the status that has followed it, in milliseconds; of 100 changes the slowest but one. */
async function followTimes(clusters: HashClusters, names: readonly string[]): Promise<number> {
  const times: number[] = [];
  await together(names, CHANGES_AT_ONCE, async (name) => {
    const begun = performance.now();
    const { metadata } = await clusters.patch(name, { worker: { scaling: { tolerance: 0.2 } } });
    const isFollowed = async () =>
      (await clusters.get(name)).status?.observedGeneration === metadata.generation;
    while (!(await isFollowed())) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    times.push(performance.now() - begun);
  });
  return times.sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] ?? NaN;
}

async function build(server: ApiServer, folder: string, transport: Transport, count: number) {
  const clusters = new HashClusters(transport, NAMESPACE);
  const controllers = new FakeControllers(transport, NAMESPACE);
  const begun = performance.now();
  const names = await make(clusters, count);
  const first = await startProcess(server, folder);
  controllers.start();
  await settle(clusters, count);
  const seconds = Math.round((performance.now() - begun) / 1000);
  say(`${count} HashClusters with ${count * 10} pods made in`, `${seconds} s`);
  say('memory of the operator that made them', `${await first.rssMiB()} MiB`);
  await first.stop();
  await controllers.stop();
  return { clusters, names };
}

async function measure(server: ApiServer, folder: string, count: number): Promise<void> {
  const transport = new Transport({ config: server.config, perSecond: 10_000, burst: 10_000 });
  await installCrds(transport);
  await new HashClusters(transport, NAMESPACE).makeNamespace();
  await makeSecret(transport);
  const { clusters, names } = await build(server, folder, transport, count);
  const second = await startProcess(server, folder);
  const rounds = async () => sumOf(await second.metrics(), 'hashcluster_operator_reconcile_duration_count');
  await until(async () => (await rounds().catch(() => 0)) >= count * 3, LONG_MS);
  const before = await second.metrics();
  say(
    'writes of three rounds over each with nothing to do',
    sumOf(before, 'hashcluster_operator_api_writes'),
  );
  say('memory after them', `${await second.rssMiB()} MiB`);
  const cpu = await second.cpuSeconds();
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const share = ((await second.cpuSeconds()) - cpu) / (QUIET_MS / 1_000);
  say('cores that it takes while nothing happens', share.toFixed(2));
  const touched = names.slice(0, TOUCHED);
  say(
    '99 of 100 changes of a spec were followed within',
    `${Math.round(await followTimes(clusters, touched))} ms`,
  );
  say('99 of 100 rounds began after they were due within', p99(before, await second.metrics()));
  say('time of the processor in all', `${(await second.cpuSeconds()).toFixed(1)} s`);
  say('memory at the end', `${await second.rssMiB()} MiB`);
  await second.stop();
  await transport.stop();
}

const programs = findApiServer();
if (programs === null) throw new Error('kube-apiserver and etcd are not there');
const folder = await mkdtemp(join(tmpdir(), 'hashcluster-bench-'));
const server = await startApiServer(programs);
try {
  await measure(server, folder, Number(process.argv[2] ?? 100));
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
