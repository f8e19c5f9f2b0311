import { createHash } from 'node:crypto';
import { API_VERSION, KIND } from '../api/hash-cluster.ts';
import { isNotFound } from '../control/errors.ts';
import { collectionPath, objectPath, type Kind } from '../control/resources.ts';
import type { Transport } from '../control/transport.ts';
import { refOf, type KubeObject, type Pod } from '../plan/kube.ts';

const DEPLOYMENT: Kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const STATEFUL_SET: Kind = { apiVersion: 'apps/v1', kind: 'StatefulSet' };
const POD: Kind = { apiVersion: 'v1', kind: 'Pod' };
const CLUSTER: Kind = { apiVersion: API_VERSION, kind: KIND };
const BUDGET: Kind = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' };
/** What the garbage collector would take away. */
const OWNED: readonly Kind[] = [
  DEPLOYMENT,
  STATEFUL_SET,
  ...['ConfigMap', 'Service', 'ServiceAccount', 'Secret'].map((kind) => ({ apiVersion: 'v1', kind })),
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  BUDGET,
];
const PAUSE_MS = 50;

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata?: KubeObject['metadata'];
      readonly spec: Pod['spec'];
    };
  };
  readonly status?: unknown;
}

/**
 * What a cluster would do with Deployments, StatefulSets, pods, and objects whose owner is gone, in one namespace: pods are
 * there at once, and ready. Without it a bare API server keeps objects that nobody ever acts on.
 */
export class FakeControllers {
  readonly #transport: Transport;
  readonly #namespace: string;
  readonly troubles: unknown[] = [];
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(transport: Transport, namespace: string) {
    this.#transport = transport;
    this.#namespace = namespace;
  }

  /** Looks again and again until it is stopped. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Does once what there is to do. */
  async pass(): Promise<void> {
    const [sets, deployments, pods] = await Promise.all(
      [STATEFUL_SET, DEPLOYMENT, POD].map((kind) => this.#list(kind)),
    );
    const workloads = [...sets!, ...deployments!] as Workload[];
    const wanted = new Set(workloads.flatMap(podNames));
    const goes = ({ metadata: { name, deletionTimestamp } }: KubeObject): boolean => {
      return !wanted.has(name) || deletionTimestamp !== undefined;
    };
    await Promise.all([
      ...workloads.map((workload) => this.#serve(workload, pods!)),
      ...pods!.filter(goes).map((pod) => this.#delete(pod)),
      this.#tellBudgets(),
    ]);
  }

  /** Deletes what belongs to HashClusters that are gone. */
  async collectGarbage(): Promise<void> {
    const owners = new Set((await this.#list(CLUSTER)).map(({ metadata }) => metadata.uid));
    for (const kind of OWNED) {
      for (const object of await this.#list(kind)) {
        const { ownerReferences = [] } = object.metadata;
        const isOrphan = ownerReferences.length > 0 && !ownerReferences.some(({ uid }) => owners.has(uid));
        if (isOrphan) await this.#delete(object);
      }
    }
  }

  /** The uids of all HashClusters to which anything belongs. */
  async owners(): Promise<string[]> {
    const objects = (await Promise.all(OWNED.map((kind) => this.#list(kind)))).flat();
    const uids = objects.flatMap(({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid) ?? []);
    return [...new Set(uids)];
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // What changed under its hands is different the next time; what goes wrong each time ends the test by its time.
      await this.pass().catch((error: unknown) => this.troubles.push(error));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #serve(workload: Workload, pods: readonly KubeObject[]): Promise<void> {
    const known = new Map(pods.map((pod) => [pod.metadata.name, pod]));
    const keep = async (name: string): Promise<void> => {
      const pod = known.get(name);
      const isOld = pod && pod.metadata.labels?.['controller-revision-hash'] !== revisionOf(workload);
      // A StatefulSet replaces nothing by itself (OnDelete); a Deployment does.
      if (isOld && workload.kind === 'Deployment') await this.#delete(pod);
      if (!pod || (isOld && workload.kind === 'Deployment')) await this.#makePod(name, workload);
    };
    await Promise.all(podNames(workload).map(keep));
    await this.#tellStatus(workload);
  }

  async #makePod(name: string, workload: Workload): Promise<void> {
    const { metadata, spec } = workload.spec.template;
    // Nothing runs, so nothing is mounted.
    const containers = spec.containers.map((container) => ({ name: container.name, image: container.image }));
    const labels = { ...metadata?.labels, 'controller-revision-hash': revisionOf(workload) };
    const body = {
      ...POD,
      metadata: { ...metadata, name, labels },
      spec: { containers, nodeName: 'node-1' },
    };
    await this.#transport.request({ method: 'POST', path: collectionPath(POD, this.#namespace), body });
    const at = new Date().toISOString();
    const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: at });
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition);
    const status = { phase: 'Running', startTime: at, podIP: '127.0.0.1', conditions };
    await this.#patchStatus({ ...POD, metadata: { name, namespace: this.#namespace } }, status);
  }

  async #tellStatus(workload: Workload): Promise<void> {
    const count = workload.spec.replicas ?? 1;
    const { generation } = workload.metadata;
    const counts = {
      replicas: count,
      readyReplicas: count,
      updatedReplicas: count,
      availableReplicas: count,
    };
    const revision = revisionOf(workload);
    const revisions = { currentRevision: revision, updateRevision: revision };
    const status = {
      ...{ observedGeneration: generation, ...counts },
      ...(workload.kind === 'StatefulSet' ? revisions : {}),
    };
    const is = (workload.status ?? {}) as Record<string, unknown>;
    const differs = Object.entries(status).some(([key, value]) => (is[key] ?? 0) !== value);
    if (differs) await this.#patchStatus(workload, status);
  }

  /** Evictions are refused until somebody has counted pods. */
  async #tellBudgets(): Promise<void> {
    for (const budget of await this.#list(BUDGET)) {
      const { generation } = budget.metadata;
      const counts = { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 };
      const is = (budget['status'] ?? {}) as Record<string, unknown>;
      const isCounted = is['observedGeneration'] === generation && is['disruptionsAllowed'] === 1;
      if (!isCounted)
        await this.#patchStatus(budget, { observedGeneration: generation, ...counts, disruptedPods: null });
    }
  }

  async #list(kind: Kind): Promise<KubeObject[]> {
    const path = collectionPath(kind, this.#namespace);
    const { items } = await this.#transport.request<{ readonly items: readonly KubeObject[] }>({
      method: 'GET',
      path,
    });
    return items.map((item) => ({ ...item, ...kind }));
  }

  async #patchStatus(object: KubeObject, status: unknown): Promise<void> {
    await this.#ifThere({
      ...{ method: 'PATCH', path: objectPath({ ...refOf(object) }, 'status'), body: { status } },
      contentType: 'application/merge-patch+json',
    });
  }

  async #delete(object: KubeObject): Promise<void> {
    const body = { gracePeriodSeconds: 0, preconditions: { uid: object.metadata.uid } };
    await this.#ifThere({ method: 'DELETE', path: objectPath(refOf(object)), body });
  }

  async #ifThere(request: Parameters<Transport['request']>[0]): Promise<void> {
    try {
      await this.#transport.request(request);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

function podNames({ metadata, spec }: Workload): string[] {
  return Array.from({ length: spec.replicas ?? 1 }, (_, index) => `${metadata.name}-${index}`);
}

function revisionOf({ spec }: Workload): string {
  return createHash('sha256').update(JSON.stringify(spec.template)).digest('hex').slice(0, 10);
}
