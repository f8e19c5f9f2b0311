import type { Action } from './action.ts';
import type { Server } from './desired/server-set.ts';
import { refOf, type KubeObject, type Pod } from './kube.ts';
import { isReady } from './pods.ts';

/** A Deployment or a StatefulSet: what is read of it. */
export interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly updateRevision?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet']);

/** Whether an object makes pods. */
export function isWorkload({ kind }: KubeObject): boolean {
  return WORKLOADS.has(kind);
}

/** Pods of a workload, in numbers. */
export interface Counts {
  readonly desired: number;
  readonly replicas: number;
  readonly ready: number;
  readonly updated: number;
  readonly available: number;
}

const REVISION = 'controller-revision-hash';

/** Pods of a workload; all zero where there is none. */
export function countsOf(workload: Workload | null): Counts {
  const { spec, status = {} } = workload ?? { spec: { replicas: 0 } };
  return {
    desired: spec?.replicas ?? 1,
    replicas: status.replicas ?? 0,
    ready: status.readyReplicas ?? 0,
    updated: status.updatedReplicas ?? 0,
    available: status.availableReplicas ?? 0,
  };
}

/** Whether a controller has taken notice of what was written last. */
export function isSeen({ metadata, status }: Workload): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

/** Whether all pods are of the last template, and as many as asked for are available. */
export function isRolledOut(workload: Workload): boolean {
  const { desired, replicas, updated, available } = countsOf(workload);
  return isSeen(workload) && updated >= desired && replicas === updated && available >= desired;
}

/** Members of a managed server that run an older template; none while it is not known which is the newest. */
export function outdated(set: Workload | null, pods: readonly Pod[]): Pod[] {
  const revision = set?.status?.updateRevision;
  if (set === null || revision === undefined || !isSeen(set)) return [];
  return pods.filter(({ metadata }) => metadata.labels?.[REVISION] !== revision);
}

/** What is known of a managed server's members. */
export interface Members {
  readonly set: Workload | null;
  /** Neither leaving nor ended. */
  readonly pods: readonly Pod[];
  /** Whether every member takes part: only then may one of them go. */
  readonly healthy: boolean;
  /** The pod that leads, if that is known. */
  readonly leader: string | null;
}

/** The least loss first: those that do not work anyway, the leader last, otherwise the last ordinal first. */
function byLoss(leader: string | null) {
  const rank = (pod: Pod): number => (isReady(pod) ? (pod.metadata.name === leader ? 2 : 1) : 0);
  return (a: Pod, b: Pod): number =>
    rank(a) - rank(b) || b.metadata.name.localeCompare(a.metadata.name, 'en', { numeric: true });
}

/**
 * The member that is to get the newest template now, one at a time: it is evicted, and comes back with it. One that is not
 * ready may always go, for the new template may be its cure; one that works goes only while all the others do too.
 */
export function nextMember(server: Server, members: Members): Action[] {
  const { set, pods, healthy, leader } = members;
  const [next] = outdated(set, pods).sort(byLoss(leader));
  if (!next || !set) return [];
  const complete = pods.length >= countsOf(set).desired && pods.every(isReady);
  if (isReady(next) && !(complete && healthy)) return [];
  const why = `${server} has a new template, and this member still has the old one`;
  return [{ kind: 'evict', ref: refOf(next), why }];
}
