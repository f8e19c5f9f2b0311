import type { HashCluster } from '../api/hash-cluster.ts';
import type { KubeObject, Pod } from './kube.ts';

/** The parts of a cluster, as `app.kubernetes.io/component` says. */
export type Component = 'endpoint' | 'worker' | 'mongodb' | 'kafka';

/** The parts that are scaled. */
export type Role = 'endpoint' | 'worker';

/**
 * Something that was asked for, with its age. `at`: milliseconds since 1970 of the measurement; for an error, of the
 * attempt. What is not known is never taken for zero.
 */
export type Reading<T> =
  { readonly at: number; readonly value: T } | { readonly at: number; readonly error: string };

/** What one pod uses now. Source: metrics.k8s.io/v1beta1 PodMetrics. */
export interface PodUsage {
  readonly pod: string;
  /** The end of the window that was measured, in milliseconds since 1970. */
  readonly at: number;
  /** Cores, of all containers. */
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

/** `GET /v1/cluster` of one endpoint: what is read of it. Source: services, `/openapi.json`. */
export interface ClusterReport {
  readonly workers: { readonly live: number; readonly draining: number };
  /** Engines of all workers: one job keeps one of them busy at most. */
  readonly engines: number;
  readonly lanes: number;
  readonly freeLanes: number;
  /** Iterations per second, now and at most. */
  readonly rate: number;
  readonly capacity: number;
  readonly backlog: {
    readonly running: number;
    readonly queued: readonly {
      readonly class: number;
      readonly jobs: number;
      readonly iterations: number;
      readonly oldestSeconds: number | null;
    }[];
    /** Seconds of work; null while there is work and nobody to do it. */
    readonly seconds: number | null;
  };
  /** What Kafka says of itself; null where that is not known. Older endpoints do not ask. */
  readonly bus?: KafkaReport | null | undefined;
}

/** One of `GET /v1/workers`: what is read of it. */
export interface WorkerReport {
  readonly id: string;
  /** The name of its pod. */
  readonly host: string;
  readonly state: 'live' | 'draining' | 'left' | 'dead';
  readonly lanes: number;
  readonly freeLanes: number;
  readonly jobs: number;
  readonly backlogSeconds: number;
  /** Of its engines, 0 to 1. */
  readonly cpu: number;
  readonly disk: { readonly free: number; readonly total: number } | null;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly lastSeen: string;
  /** Since its last heartbeat, by the endpoint's monotonic clock; older endpoints do not say. */
  readonly silentSeconds?: number | undefined;
}

/** What one endpoint says. */
export interface EndpointReading {
  readonly pod: string;
  readonly cluster: Reading<ClusterReport>;
  readonly workers: Reading<readonly WorkerReport[]>;
}

/** A member of the replica set, as its configuration has it. Source: MongoDB manual, "Replica Set Configuration". */
export interface MongoMember {
  /** `_id`. */
  readonly id: number;
  /** `host:port`. */
  readonly host: string;
  readonly votes: 0 | 1;
  readonly priority: number;
}

/** Which replica set a member's data belongs to. */
export interface MongoIdentity {
  /** `host:port`. */
  readonly host: string;
  /** Null: it has no configuration, so no data either. */
  readonly setId: string | null;
  readonly isPrimary: boolean;
}

/** What MongoDB says of itself. Of several replica sets: of the expected one. */
export interface MongoReport {
  /** Null: no configuration yet (`NotYetInitialized`). */
  readonly config: {
    readonly setName: string;
    /** `settings.replicaSetId`, hexadecimal: made by `replSetInitiate`, the same in all members for ever. */
    readonly setId: string;
    readonly version: number;
    readonly term: number;
    readonly members: readonly MongoMember[];
  } | null;
  /** Members that answered, by host, and what each says of itself. */
  readonly identities: readonly MongoIdentity[];
  /** `replSetGetStatus`, by host. */
  readonly members: readonly {
    readonly host: string;
    /** `stateStr`: PRIMARY, SECONDARY, STARTUP2, RECOVERING, (not reachable/healthy) … */
    readonly state: string;
    readonly healthy: boolean;
  }[];
  /** `host:port`; null while there is none. */
  readonly primary: string | null;
  /** Names of the users in `admin`; null: they could not be read. */
  readonly users: readonly string[] | null;
  /** Roles of those users, by name; absent: not known. */
  readonly grants?: Readonly<Record<string, readonly string[]>>;
  /** `dbStats` of each member that answers: fsUsedSize, fsTotalSize. Bytes. */
  readonly disks: readonly { readonly host: string; readonly used: number; readonly total: number }[];
}

/** What Kafka says of itself to endpoints. Source: DescribeLogDirs (KIP-827). */
export interface KafkaReport {
  /** Ids of the live brokers. */
  readonly brokers: readonly number[];
  /** Bytes. */
  readonly disks: readonly { readonly broker: number; readonly used: number; readonly total: number }[];
}

/** Why a pod that runs is not ready, as its readiness probe says. */
export interface ProbeReading {
  readonly component: Role;
  readonly pod: string;
  /** Checks that fail, each with its reason. */
  readonly checks: Reading<Readonly<Record<string, string>>>;
}

/** Why pods of a StatefulSet that are not there could not be created; null: there is no reason known. */
export interface CreationReading {
  readonly component: 'mongodb' | 'kafka';
  readonly failure: Reading<string | null>;
}

/** Everything that was asked of running parts. Null: not asked for (there is nothing to ask, or nobody). */
export interface Readings {
  readonly usage: Reading<readonly PodUsage[]> | null;
  readonly endpoints: readonly EndpointReading[];
  readonly mongo: Reading<MongoReport> | null;
  readonly kafka: Reading<KafkaReport> | null;
  /** Of some pods that are not ready. */
  readonly probes: readonly ProbeReading[];
  /** Of StatefulSets that lack pods. */
  readonly creations: readonly CreationReading[];
}

/** A Secret, without what it holds. */
export interface SecretFacts {
  readonly name: string;
  readonly uid: string;
  /** The owner's uid, when it has a controller. */
  readonly owner: string | null;
  /** The HashCluster for which an operator made it, as its labels say; null: it carries no labels of ours. */
  readonly instance: string | null;
  readonly keys: readonly string[];
  /** By key: what is equal for equal values within this process, and says nothing of them. */
  readonly digests: Readonly<Record<string, string>>;
  /** Keys of passwords that are too short, or have characters that would need an escape in an address. */
  readonly invalid: readonly string[];
  /** Those of ours. */
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * The first 16 hexadecimal characters of the HMAC-SHA256 of its `data`: for each key in order, `key`, `=`, the value in
   * base64, a line feed. The key is in a Secret of the HashCluster; null: that does not exist yet. Pods are restarted when it
   * changes, so how it is made must not change.
   */
  readonly hash: string | null;
  /** The same without a key, by SHA-256: what operators before have put on pods. Never written any more. */
  readonly plainHash: string;
}

/** What happened before, and must be remembered: read from the API server it would come too late. */
export type LedgerEntry =
  /** A pod was disrupted on purpose. */
  | {
      readonly kind: 'disruption';
      readonly at: number;
      readonly component: Component;
      readonly pod: string;
      readonly uid: string;
      readonly reason: string;
      /** For healing: how many in a row this is, without 10 healthy minutes in between; 1 for the first. */
      readonly attempt?: number;
    }
  /** Ill pods of a component were left alone, and this was told. */
  | { readonly kind: 'hold'; readonly at: number; readonly component: Component; readonly reason: string }
  /** A component was scaled. */
  | {
      readonly kind: 'scale';
      readonly at: number;
      readonly role: Role;
      readonly from: number;
      readonly to: number;
    }
  /** How many replicas were wanted, scaled or not: what stabilization windows look back on. */
  | { readonly kind: 'recommendation'; readonly at: number; readonly role: Role; readonly replicas: number };

/** What the API server can do. */
export interface ApiFacts {
  /** Kinds that are not everywhere: `HTTPRoute` (gateway.networking.k8s.io/v1), `PodMetrics` (metrics.k8s.io/v1beta1). */
  readonly httpRoute: boolean;
  readonly podMetrics: boolean;
  /** Whether rules of an HTTPRoute may have time-outs: since Gateway API 1.2. */
  readonly routeTimeouts?: boolean;
}

/** A StorageClass: what is read of it. */
export interface StorageClassFacts {
  readonly name: string;
  readonly isDefault: boolean;
  readonly allowVolumeExpansion: boolean;
}

/** What this operator uses where the spec names nothing. Existing children keep what they have. */
export interface OperatorDefaults {
  readonly images: { readonly hashcluster: string; readonly mongodb: string; readonly kafka: string };
  /** Where the operator runs: NetworkPolicies let it in. */
  readonly operator: {
    readonly namespace: string;
    readonly podLabels: Readonly<Record<string, string>>;
  };
  /** The DNS domain of the Kubernetes cluster, such as `cluster.local`. */
  readonly clusterDomain: string;
}

/** A cluster is not ready while an action has failed for so long, in milliseconds. */
export const FAILING_MS = 30_000;

/** What the API server, or the writer itself, does not take: nothing changes by asking again. */
export interface Refusal {
  /** Which action: `Kind name`, or its kind. */
  readonly ref: string;
  /** One word in CamelCase, where there is a better one than `Refused`. */
  readonly reason?: string;
  readonly message: string;
}

/** An action that fails. */
export interface ObservedFailure extends Refusal {
  /** When it failed first, in milliseconds since 1970. */
  readonly since: number;
}

/** Fields that were written several times, and that somebody changes each time. */
export interface OverwrittenFields {
  /** `Kind name`. */
  readonly ref: string;
  /** Of the write: equal ones lead to the same object. */
  readonly signature: string;
  /** Equal writes so far. */
  readonly writes: number;
  /** When it was written last, in milliseconds since 1970. */
  readonly lastAt: number;
  /** Paths, for people. */
  readonly fields: string;
  /** Field managers that own them in the live object, without ours; none: an admission webhook, probably. */
  readonly managers: readonly string[];
  /** Whether there has been an Event. */
  readonly isTold: boolean;
}

/** Everything that a plan for one HashCluster may depend on. */
export interface Observed {
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * When the pods that we see were last known to be all there are: the last event, bookmark or list of the watch.
   * Milliseconds since 1970.
   */
  readonly viewAt: number;
  /** As stored: after defaulting by the API server. */
  readonly cluster: HashCluster;
  /** Live objects with our labels of every kind that we make, but pods and Secrets. PersistentVolumeClaims too. */
  readonly children: readonly KubeObject[];
  readonly pods: readonly Pod[];
  /** Those that we make, and those that the spec names; only the ones that exist. */
  readonly secrets: readonly SecretFacts[];
  readonly readings: Readings;
  /** Oldest first, bounded by the reconciler (an hour is enough). */
  readonly ledger: readonly LedgerEntry[];
  readonly api: ApiFacts;
  /** Null: not readable (no rights on StorageClasses). */
  readonly storageClasses: readonly StorageClassFacts[] | null;
  readonly defaults: OperatorDefaults;
  /** Actions that were refused or that failed, and have not succeeded since; shown in `Degraded`. */
  readonly refusals: readonly ObservedFailure[];
  /** Fields that are changed back after each write. */
  readonly overwritten: readonly OverwrittenFields[];
}

/** The value of a reading that is there and not older than `maxAgeMs`; otherwise null: not known. */
export function fresh<T>(reading: Reading<T> | null, now: number, maxAgeMs: number): T | null {
  return reading !== null && 'value' in reading && now - reading.at <= maxAgeMs ? reading.value : null;
}
