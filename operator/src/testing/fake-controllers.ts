import { createHash } from 'node:crypto';
import { API_VERSION, KIND } from '../api/hash-cluster.ts';
import { isConflict, isNotFound } from '../control/errors.ts';
import { Reflector } from '../control/reflector.ts';
import { collectionPath, objectPath, type Kind } from '../control/resources.ts';
import { Store } from '../control/store.ts';
import type { Transport } from '../control/transport.ts';
import { refOf, type KubeObject, type Pod } from '../plan/kube.ts';
import { together } from './together.ts';

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
const PAUSE_MS = 20;
const AT_ONCE = 32;
const REVISION = 'controller-revision-hash';

type Step = () => Promise<void>;

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

/** What these controllers look after. */
const WATCHED = [STATEFUL_SET, DEPLOYMENT, POD, BUDGET] as const;

/**
 * What a cluster would do with Deployments, StatefulSets, pods, and objects whose owner is gone, in one namespace: pods are
 * there at once, and ready. Without it a bare API server keeps objects that nobody ever acts on.
 */
export class FakeControllers {
  readonly #transport: Transport;
  readonly #namespace: string;
  readonly troubles: unknown[] = [];
  readonly #stores = new Map<Kind, Store<KubeObject>>();
  readonly #reflectors: Reflector<KubeObject>[];
  /** By template: there are thousands of pods, and few templates. */
  readonly #revisions = new WeakMap<object, string>();
  #running: Promise<void> | null = null;
  #stopped = false;
  /** Something has changed since the last pass began. */
  #isNews = true;

  constructor(transport: Transport, namespace: string) {
    this.#transport = transport;
    this.#namespace = namespace;
    this.#reflectors = WATCHED.map((kind) => {
      const store = new Store<KubeObject>();
      this.#stores.set(kind, store);
      return new Reflector<KubeObject>({
        ...{ kind, namespace, transport, store },
        onChange: () => (this.#isNews = true),
        onTrouble: (_phase, error) => this.troubles.push(error),
      });
    });
  }

  /** Acts whenever something has changed, until it is stopped. */
  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
    this.#running ??= this.#run();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
    await this.#running;
  }

  async #run(): Promise<void> {
    await this.#synced();
    while (!this.#stopped) {
      if (this.#isNews) await this.#pass();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #synced(): Promise<void> {
    while (!this.#stopped && this.#reflectors.some(({ hasSynced }) => !hasSynced)) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Does once what there is to do. */
  async #pass(): Promise<void> {
    this.#isNews = false;
    const pods = new Map(this.#all(POD).map((pod) => [pod.metadata.name, pod as Pod]));
    const workloads = [...this.#all(STATEFUL_SET), ...this.#all(DEPLOYMENT)] as Workload[];
    const wanted = new Map(
      workloads.flatMap((workload) => podNames(workload).map((name) => [name, workload])),
    );
    const steps = [
      ...[...wanted].map(([name, workload]) => this.#makePod(name, workload, pods.get(name))),
      ...[...pods.values()].map((pod) => this.#servePod(pod, wanted.get(pod.metadata.name))),
      ...workloads.map((workload) => this.#tellStatus(workload)),
      ...this.#all(BUDGET).map((budget) => this.#tellBudget(budget)),
    ];
    const todo = steps.filter((step) => step !== null);
    await together(todo, AT_ONCE, async (step) => {
      // What changed under its hands is different the next time; what goes wrong each time ends the test by its time.
      await step().catch((error: unknown) => {
        this.troubles.push(error);
        this.#isNews = true;
      });
    });
  }

  #revisionOf(workload: Workload): string {
    const { template } = workload.spec;
    const revision = this.#revisions.get(template) ?? revisionIn(workload);
    this.#revisions.set(template, revision);
    return revision;
  }

  #all(kind: Kind): KubeObject[] {
    return this.#stores
      .get(kind)!
      .all()
      .map((object) => ({ ...object, ...kind }));
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

  #makePod(name: string, workload: Workload, known: Pod | undefined): Step | null {
    if (known) return null;
    const { metadata, spec } = workload.spec.template;
    // Nothing runs, so nothing is mounted.
    const containers = spec.containers.map((container) => ({ name: container.name, image: container.image }));
    const labels = { ...metadata?.labels, [REVISION]: this.#revisionOf(workload) };
    const body = {
      ...POD,
      metadata: { ...metadata, name, labels, ownerReferences: [controllerReference(workload)] },
      spec: { containers, nodeName: 'node-1' },
    };
    const path = collectionPath(POD, this.#namespace);
    return () => this.#unlessChanged({ method: 'POST', path, body });
  }

  /** Takes a pod away that is not wanted any more, or tells that it is ready. */
  #servePod(pod: Pod, workload: Workload | undefined): Step | null {
    const isLeaving = pod.metadata.deletionTimestamp !== undefined;
    // A StatefulSet replaces nothing by itself (OnDelete); a Deployment does.
    const isOld =
      workload?.kind === 'Deployment' && pod.metadata.labels?.[REVISION] !== this.#revisionOf(workload);
    if (!workload || isLeaving || isOld) return () => this.#delete(pod);
    if (pod.status?.phase === 'Running') return null;
    const at = new Date().toISOString();
    const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: at });
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition);
    return () => this.#patchStatus(pod, { phase: 'Running', startTime: at, podIP: '127.0.0.1', conditions });
  }

  #tellStatus(workload: Workload): Step | null {
    const count = workload.spec.replicas ?? 1;
    const { generation } = workload.metadata;
    const counts = {
      replicas: count,
      readyReplicas: count,
      updatedReplicas: count,
      availableReplicas: count,
    };
    const revision = this.#revisionOf(workload);
    const revisions = { currentRevision: revision, updateRevision: revision };
    const status = {
      ...{ observedGeneration: generation, ...counts },
      ...(workload.kind === 'StatefulSet' ? revisions : {}),
    };
    const is = (workload.status ?? {}) as Record<string, unknown>;
    const differs = Object.entries(status).some(([key, value]) => (is[key] ?? 0) !== value);
    return differs ? () => this.#patchStatus(workload, status) : null;
  }

  /** Evictions are refused until somebody has counted pods. */
  #tellBudget(budget: KubeObject): Step | null {
    const { generation } = budget.metadata;
    const counts = { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 };
    const is = (budget['status'] ?? {}) as Record<string, unknown>;
    if (is['observedGeneration'] === generation && is['disruptionsAllowed'] === 1) return null;
    const status = { observedGeneration: generation, ...counts, disruptedPods: null };
    return () => this.#patchStatus(budget, status);
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
    await this.#unlessChanged({
      ...{ method: 'PATCH', path: objectPath({ ...refOf(object) }, 'status'), body: { status } },
      contentType: 'application/merge-patch+json',
    });
  }

  async #delete(object: KubeObject): Promise<void> {
    const body = { gracePeriodSeconds: 0, preconditions: { uid: object.metadata.uid } };
    await this.#unlessChanged({ method: 'DELETE', path: objectPath(refOf(object)), body });
  }

  async #unlessChanged(request: Parameters<Transport['request']>[0]): Promise<void> {
    try {
      await this.#transport.request(request);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** A Deployment stands for its ReplicaSet, too. */
function controllerReference({ apiVersion, kind, metadata: { name, uid = '' } }: Workload) {
  return { apiVersion, kind, name, uid, controller: true };
}

function podNames({ metadata, spec }: Workload): string[] {
  return Array.from({ length: spec.replicas ?? 1 }, (_, index) => `${metadata.name}-${index}`);
}

function revisionIn({ spec: { template } }: Workload): string {
  return createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 10);
}
