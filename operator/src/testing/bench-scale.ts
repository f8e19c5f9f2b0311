import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transport } from '../control/transport.ts';
import { freePort, startApiServer, type ApiServer } from './api-server.ts';
import { installCrds } from './crds.ts';
import { FakeControllers } from './fake-controllers.ts';
import { HashClusters } from './hash-clusters.ts';
import { findApiServer } from './settings.ts';
import { until } from './stage.ts';
import { together } from './together.ts';

/*
 * How an operator bears many HashClusters: `node operator/src/testing/bench-scale.ts 1000` (default 100). Ten pods each, on
 * a real API server, faked where a kubelet would be. Prints memory, writes of a start that has nothing to do, and how long
 * a change waits for its round. Not a test: it takes minutes, and its numbers depend on the machine.
 */
const NAMESPACE = 'bench';
const AT_ONCE = 16;
const LONG_MS = 3_600_000;
const QUIET_MS = 30_000;
const TOUCHED = 200;
const MAIN = new URL('../main.ts', import.meta.url).pathname;
/** Servers of others: nobody has to be asked. */
const SPEC = {
  ...{ mongodb: { external: { secretName: 'servers' } }, kafka: { external: { brokers: ['kafka:9092'] } } },
  ...{ endpoint: { replicas: { min: 4 } }, worker: { replicas: { min: 6 } } },
};

/** An operator in a process of its own. */
interface Process {
  readonly rssMiB: () => Promise<number>;
  readonly metrics: () => Promise<string>;
  readonly stop: () => Promise<void>;
}

async function startProcess(server: ApiServer, folder: string): Promise<Process> {
  const port = await freePort();
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, server.config.exportConfig(), { mode: 0o600 });
  const env = {
    ...{ KUBECONFIG: kubeconfig, WATCH_NAMESPACES: NAMESPACE, POD_NAMESPACE: NAMESPACE, LOG_LEVEL: 'error' },
    ...{ ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port), API_REQUESTS_PER_SECOND: '2000' },
  };
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    rssMiB: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    },
    metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    stop: async () => {
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
    [...text.matchAll(/hashcluster_operator_queue_wait_seconds_bucket\{.*?le="([^"]+)".*?\} (\d+)/g)].map(
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
  process.stdout.write(`${what.padEnd(48)}${value}\n`);
}

async function measure(server: ApiServer, folder: string, count: number): Promise<void> {
  const transport = new Transport({ config: server.config, perSecond: 10_000, burst: 10_000 });
  await installCrds(transport);
  const clusters = new HashClusters(transport, NAMESPACE);
  await clusters.makeNamespace();
  const named = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'servers' },
    stringData: { uri: 'mongodb://a/' },
  };
  await transport.request({ method: 'POST', path: `/api/v1/namespaces/${NAMESPACE}/secrets`, body: named });
  const names = Array.from({ length: count }, (_, index) => `c-${index}`);
  await together(names, AT_ONCE, async (name) => void (await clusters.create(name, SPEC)));
  const controllers = new FakeControllers(transport, NAMESPACE);
  const begun = performance.now();
  const first = await startProcess(server, folder);
  controllers.start();
  await until(async () => {
    const all = await clusters.all();
    const settled = all.filter(({ status }) => {
      return status?.conditions?.some(({ type, status: is }) => type === 'Progressing' && is === 'False');
    });
    return settled.length === count;
  }, LONG_MS);
  say(
    `${count} HashClusters with ${count * 10} pods made in`,
    `${Math.round((performance.now() - begun) / 1000)} s`,
  );
  say('memory of the operator then', `${await first.rssMiB()} MiB`);
  await first.stop();
  await controllers.stop();
  const second = await startProcess(server, folder);
  const looked = async () =>
    sumOf(await second.metrics(), 'hashcluster_operator_reconcile_duration_seconds_count');
  await until(async () => (await looked().catch(() => 0)) >= count * 2, LONG_MS);
  const before = await second.metrics();
  say('writes of a start with nothing to do', sumOf(before, 'hashcluster_operator_api_writes'));
  say('memory after it', `${await second.rssMiB()} MiB`);
  await together(names.slice(0, TOUCHED), AT_ONCE, (name) => clusters.annotate(name, { touched: 'yes' }));
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  say('99 of 100 rounds began after their event within', p99(before, await second.metrics()));
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
