import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseDocument, type Document } from 'yaml';
import { helm, kubectl, type Live, Namespace } from './kube.ts';

const CHART = fileURLToPath(new URL('../../../charts/hashcluster', import.meta.url));
const RELEASE = 'hashcluster';
/** Where the operator runs. */
export const OPERATOR_HOME = new Namespace('hashcluster-system');

/** Installs the chart for all namespaces, or upgrades to what it is now. Idempotent. */
export async function installOperator(
  values: Readonly<Record<string, string>> = {},
  chart = CHART,
): Promise<void> {
  await OPERATOR_HOME.create();
  const set = Object.entries({ 'watchNamespaces[0]': '*', ...values }).flatMap(([key, value]) => [
    '--set-string',
    `${key}=${value}`,
  ]);
  const where = ['--namespace', OPERATOR_HOME.name, '--wait', '--timeout', '120s'];
  await helm(['upgrade', '--install', RELEASE, chart, ...where, ...set], { limitMs: 150_000 });
}

/** Installs the chart into a namespace, for that namespace alone, beside the release that owns the CRD. Idempotent. */
export async function installOperatorIn(home: Namespace): Promise<void> {
  await home.create();
  const where = ['--namespace', home.name, '--wait', '--timeout', '120s'];
  // Nothing of it is outside of the namespace, so nothing is left when that goes.
  const own = ['--set', 'crds.install=false,rbac.aggregate=false'];
  await helm(['upgrade', '--install', RELEASE, CHART, ...where, ...own], { limitMs: 150_000 });
}

/** Replaces the operator's pods: what they had in memory of what was before is gone. */
export async function restartOperator(): Promise<void> {
  const deployment = 'deployment/hashcluster-operator';
  await OPERATOR_HOME.kubectl(['rollout', 'restart', deployment]);
  await OPERATOR_HOME.kubectl(['rollout', 'status', deployment, '--timeout=120s'], { limitMs: 150_000 });
}

/** A chart like ours of an earlier version, in a folder, whose CRD does not know one field of the spec yet. */
export async function earlierChart(folder: string, field: string): Promise<string> {
  const chart = join(folder, 'hashcluster');
  await cp(CHART, chart, { recursive: true });
  await edit(join(chart, 'Chart.yaml'), (document) => document.set('version', '0.0.1'));
  const schema = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec'];
  await edit(join(chart, 'files', 'hashclusters.hashcluster.io.yaml'), (document) => {
    for (const part of ['properties', 'default'])
      if (!document.deleteIn([...schema, part, field])) throw new Error(`The CRD has no spec.${field}`);
  });
  return chart;
}

async function edit(file: string, change: (document: Document) => void): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  change(document);
  await writeFile(file, document.toString());
}

/** Deletes all HashClusters, then uninstalls the chart and what it leaves on purpose. Idempotent. */
export async function uninstallOperator(): Promise<void> {
  const crd = await kubectl(['get', 'customresourcedefinitions', '--output', 'name']);
  if (crd.includes('hashclusters.hashcluster.io')) {
    const all = ['delete', 'hashclusters', '--all', '--all-namespaces', '--timeout=240s'];
    await kubectl(all, { limitMs: 250_000 });
  }
  const where = ['--namespace', OPERATOR_HOME.name, '--wait', '--ignore-not-found'];
  await helm(['uninstall', RELEASE, ...where]);
  await kubectl(['delete', 'customresourcedefinition', 'hashclusters.hashcluster.io', '--ignore-not-found']);
  await OPERATOR_HOME.remove();
}

/** Memory of a container, in bytes. Source: Kubernetes, k8s.io/kubelet/pkg/apis/stats/v1alpha1. */
interface MemoryStats {
  readonly time: string;
  /** What is its own: no pages of files, such as those of the program, which others may share. */
  readonly rssBytes: number;
  /** What `kubectl top` shows: with the pages of files that were used lately. */
  readonly workingSetBytes: number;
}

/** The same, and what its process has in memory by its own metrics, in bytes: with every page of files that it maps. */
export interface OperatorMemory extends MemoryStats {
  readonly residentBytes: number;
}

/** The kubelet measures every ten seconds or so. */
const MEASURED_MS = 90_000;

/** Memory of the operator, as the kubelet measures it after this call, and as it does itself then. */
export async function operatorMemory(): Promise<OperatorMemory> {
  const [pod] = await OPERATOR_HOME.list('pods', 'app.kubernetes.io/name=hashcluster-operator');
  if (!pod) throw new Error('There is no operator');
  const measured = await measuredMemory(pod);
  return { ...measured, residentBytes: await residentBytes(pod.metadata.name) };
}

async function measuredMemory(pod: Live): Promise<MemoryStats> {
  const since = Date.now();
  const path = `/api/v1/nodes/${String(pod.spec['nodeName'])}/proxy/stats/summary`;
  while (Date.now() - since < MEASURED_MS) {
    const { pods } = JSON.parse(await kubectl(['get', '--raw', path])) as Summary;
    const own = pods.find(({ podRef }) => podRef.name === pod.metadata.name);
    const memory = own?.containers?.[0]?.memory;
    if (memory && Date.parse(memory.time) > since) return memory;
    await pause(1_000);
  }
  throw new Error('The kubelet does not say what memory the operator has');
}

/** Its port for metrics is closed to all but those who monitor, so it is asked from within. */
async function residentBytes(pod: string): Promise<number> {
  const script = `fetch('http://127.0.0.1:9090/metrics').then((answer) => answer.text()).then(console.log)`;
  const metrics = await OPERATOR_HOME.kubectl(['exec', pod, '--', '/nodejs/bin/node', '--eval', script]);
  const [, bytes] = /^hashcluster_process_memory_rss\S* (\d+)/m.exec(metrics) ?? [];
  if (bytes === undefined) throw new Error('The operator does not say what memory it has');
  return Number(bytes);
}

interface Summary {
  readonly pods: readonly {
    readonly podRef: { readonly name: string };
    readonly containers?: readonly { readonly memory?: MemoryStats }[];
  }[];
}

/** What helps to understand a failure: objects, Events and logs, as text. */
export async function circumstances(namespace: Namespace): Promise<string> {
  const commands: readonly (readonly string[])[] = [
    ['get', 'hashclusters,pods,deployments,statefulsets,pvc', '--output', 'wide'],
    ['get', 'hashclusters', '--output', 'yaml'],
    ['get', 'events', '--sort-by=.lastTimestamp'],
  ];
  const parts = commands.map((command) => namespace.kubectl(command));
  const logs = kubectl([
    ...['--namespace', OPERATOR_HOME.name, 'logs', 'deployment/hashcluster-operator', '--tail=200'],
  ]);
  const texts = await Promise.all([...parts, logs].map((part) => part.catch(String)));
  return texts.join('\n\n');
}
