import { API_VERSION, KIND } from '../../api/hash-cluster.ts';
import { CLUSTER_SPEC, type ClusterSpecInput } from '../../api/spec.ts';
import type { KubeObject, Pod } from '../kube.ts';
import type {
  ClusterReport,
  Component,
  EndpointReading,
  LedgerEntry,
  Observed,
  Readings,
  SecretFacts,
  WorkerReport,
} from '../observed.ts';

/** When everything happens: milliseconds since 1970. */
export const NOW = Date.UTC(2026, 10, 25, 12);

/** RFC 3339, seconds before {@link NOW}. */
export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1000).toISOString();
}

export interface PodOptions {
  readonly component?: Component;
  readonly node?: string;
  readonly image?: string;
  /** Seconds ago. */
  readonly started?: number;
  readonly ready?: boolean;
  /** When `ready` became so, seconds ago. */
  readonly changed?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly status?: Pod['status'];
  /** When it should have gone, seconds ago. */
  readonly leaving?: number;
}

/** A pod that runs, and is ready unless it is said otherwise. */
export function pod(name: string, options: PodOptions = {}): Pod {
  const { component = 'worker', node = 'node-1', image = 'hashcluster:1', started = 3600 } = options;
  const { ready = true, changed = started, annotations, leaving } = options;
  const type = 'Ready';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace: 'ns', uid: `uid-${name}`, creationTimestamp: ago(started) },
      labels: { 'app.kubernetes.io/component': component },
      ...(annotations && { annotations }),
      ...(leaving !== undefined && { deletionTimestamp: ago(leaving) }),
    },
    spec: { nodeName: node, containers: [{ name: component, image }] },
    status: {
      phase: 'Running',
      startTime: ago(started),
      conditions: [{ type, status: ready ? 'True' : 'False', lastTransitionTime: ago(changed) }],
      containerStatuses: [{ name: component, ready, restartCount: 0, image, state: { running: {} } }],
      ...options.status,
    },
  };
}

/** Pods by number: `worker-0` …. */
export function pods(count: number, options: PodOptions = {}): Pod[] {
  const { component = 'worker' } = options;
  return Array.from({ length: count }, (_, index) => pod(`${component}-${index}`, options));
}

/** A Deployment that has what it asks for. */
export function deployment(role: 'endpoint' | 'worker', replicas: number, status: object = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...{ name: `hc-${role}`, namespace: 'ns', uid: `uid-hc-${role}`, generation: 1 },
      labels: { 'app.kubernetes.io/component': role },
    },
    spec: { replicas },
    status: {
      observedGeneration: 1,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      ...status,
    },
  };
}

/** `GET /v1/cluster` of workers with one engine each. */
export function report(workers: number, seconds: number | null, jobs = 1_000): ClusterReport {
  return {
    workers: { live: workers, draining: 0 },
    ...{ engines: workers, lanes: workers * 8, freeLanes: 0, rate: 1e6, capacity: 1e6 },
    backlog: { running: 0, seconds, queued: [{ class: 1, jobs, iterations: 1e9, oldestSeconds: 0 }] },
    bus: null,
  };
}

/** One of `GET /v1/workers`; busy unless it is said otherwise. */
export function worker(host: string, changes: Partial<WorkerReport> = {}): WorkerReport {
  return {
    ...{ id: host, host, state: 'live', lanes: 8, freeLanes: 0, jobs: 8, backlogSeconds: 5, cpu: 1 },
    ...{ disk: null, startedAt: ago(3600), lastSeen: ago(1) },
    ...changes,
  };
}

/** What an endpoint said a second ago. */
export function endpoint(cluster: ClusterReport, workers: readonly WorkerReport[] = []): EndpointReading {
  const at = NOW - 1000;
  return { pod: 'endpoint-0', cluster: { at, value: cluster }, workers: { at, value: workers } };
}

/** A child as the operator makes it: what says nothing of owners is controlled by the HashCluster `hc`; claims never are. */
export function controlled(child: KubeObject): KubeObject {
  const { metadata, kind } = child;
  if (metadata.ownerReferences !== undefined || kind === 'PersistentVolumeClaim') return child;
  const owner = { apiVersion: API_VERSION, kind: KIND, name: 'hc', uid: 'uid-hc', controller: true };
  return { ...child, metadata: { ...metadata, ownerReferences: [owner] } };
}

/** A Secret as it is seen, made by the operator for the HashCluster `hc` unless it is said otherwise. */
export function secretFacts(name: string, more: Partial<SecretFacts> = {}): SecretFacts {
  return {
    ...{ name, uid: `uid-${name}`, owner: null, instance: 'hc', keys: [], digests: {}, invalid: [] },
    ...{ annotations: {}, hash: 'a', plainHash: 'plain' },
    ...more,
  };
}

export interface SceneOptions {
  readonly spec?: ClusterSpecInput;
  readonly children?: readonly KubeObject[];
  readonly pods?: readonly Pod[];
  readonly readings?: Partial<Readings>;
  readonly ledger?: readonly LedgerEntry[];
  readonly viewAt?: number;
  readonly deleting?: boolean;
}

/** Everything that is observed of a cluster named `hc`. */
export function scene(options: SceneOptions = {}): Observed {
  const metadata = { name: 'hc', namespace: 'ns', uid: 'uid-hc', generation: 1 };
  return {
    now: NOW,
    viewAt: options.viewAt ?? NOW - 1000,
    cluster: {
      ...{ apiVersion: API_VERSION, kind: KIND, spec: CLUSTER_SPEC.parse(options.spec ?? {}) },
      metadata: { ...metadata, ...(options.deleting && { deletionTimestamp: ago(1) }) },
    },
    children: (options.children ?? []).map(controlled),
    pods: options.pods ?? [],
    secrets: [],
    readings: {
      usage: null,
      endpoints: [],
      mongo: null,
      kafka: null,
      probes: [],
      creations: [],
      ...options.readings,
    },
    ledger: options.ledger ?? [],
    api: { httpRoute: false, podMetrics: true },
    storageClasses: null,
    defaults: {
      images: { hashcluster: 'hashcluster:1', mongodb: 'mongo:6.0', kafka: 'apache/kafka:4.3.1' },
      operator: { namespace: 'operators', podLabels: {} },
      clusterDomain: 'cluster.local',
    },
    refusals: [],
    overwritten: [],
  };
}
