import type { HashCluster } from '../api/hash-cluster.ts';
import type { Context } from './desired/context.ts';
import { liveChild } from './desired/context.ts';
import { childName, ordinalOf } from './desired/names.ts';
import { DATA } from './desired/server-set.ts';
import type { KubeObject } from './kube.ts';
import { fresh, type MongoReport } from './observed.ts';
import { podsOf } from './pods.ts';

/**
 * The `settings.replicaSetId` of the data: on a claim of a member, on a HashCluster whose user decides, and on Deployments that
 * were made for it.
 */
export const SET_ID = 'hashcluster.io/replica-set-id';
/** On the claim of a member that was removed from the set: when. Its data is older than the set's. RFC 3339. */
export const SET_LEFT = 'hashcluster.io/replica-set-left';
/** On a HashCluster: losses of data up to this time are acknowledged. RFC 3339. */
export const LOSS_ACKNOWLEDGED = 'hashcluster.io/data-loss-acknowledged';

/** A report older than this says nothing about now, in milliseconds. */
const VALID_MS = 60_000;
const TAKES_PART = new Set(['PRIMARY', 'SECONDARY']);

/** The claim of one member of the managed replica set. */
export interface MemberClaim {
  readonly object: KubeObject;
  readonly ordinal: number;
  readonly name: string;
  readonly uid: string;
  /** The set that its data belongs to, as far as that was written down. */
  readonly setId: string | null;
  /** Whether its member was removed from the set. */
  readonly left: boolean;
}

/** Claims of all ordinals that exist, whether there should be so many members or not; ascending. */
export function memberClaims(cluster: HashCluster, children: readonly KubeObject[]): MemberClaim[] {
  const prefix = `${DATA}-${childName(cluster, 'mongodb')}-`;
  return children
    .filter(({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name.startsWith(prefix))
    .flatMap((object) => {
      const { name, uid = '', annotations = {} } = object.metadata;
      const ordinal = ordinalOf(name);
      if (ordinal === null) return [];
      const setId = annotations[SET_ID] || null;
      return [{ object, ordinal, name, uid, setId, left: annotations[SET_LEFT] !== undefined }];
    })
    .sort((a, b) => a.ordinal - b.ordinal);
}

/**
 * The ids of the replica sets that are known to have data of this cluster: what a user decided, else what the status
 * remembers, else what the claims do. More than one: nobody can tell which of them is meant.
 */
export function knownSets(cluster: HashCluster, children: readonly KubeObject[]): string[] {
  const decided = cluster.metadata.annotations?.[SET_ID];
  if (decided) return [decided];
  const remembered = cluster.status?.replicaSet?.id;
  if (remembered) return [remembered];
  return [...new Set(memberClaims(cluster, children).flatMap(({ setId }) => setId ?? []))].sort();
}

/** The id of the set that is meant; null while none is known, or more than one. */
export function expectedSet(cluster: HashCluster, children: readonly KubeObject[]): string | null {
  const sets = knownSets(cluster, children);
  return sets.length === 1 ? sets[0]! : null;
}

/** {@link knownSets} of a context. */
export function knownSetsOf({ cluster, observed }: Context): string[] {
  return knownSets(cluster, observed.children);
}

/** {@link expectedSet} of a context. */
export function expectedSetOf({ cluster, observed }: Context): string | null {
  return expectedSet(cluster, observed.children);
}

/**
 * What MongoDB last said of itself; null while that is not known. The configuration of a set that is not meant any more,
 * for the members were asked before another one was, is left out.
 */
export function mongoReport(context: Context): MongoReport | null {
  const { readings, now } = context.observed;
  const report = fresh(readings.mongo, now, VALID_MS);
  const expected = expectedSetOf(context);
  if (!report?.config || expected === null || report.config.setId === expected) return report;
  return { ...report, config: null, members: [], primary: null, users: null };
}

/** Whether a member of the configuration is healthy, as a primary or a secondary. */
export function takesPart({ members }: MongoReport, host: string): boolean {
  return members.some((member) => member.host === host && member.healthy && TAKES_PART.has(member.state));
}

/** Whether there is a primary and every member of the configuration takes part. */
export function isWhole(report: MongoReport | null): boolean {
  if (!report?.config || report.primary === null) return false;
  return report.config.members.every(({ host }) => takesPart(report, host));
}

/** Members whose data is of another set than the one that is meant. */
export function strangersOf(context: Context): { readonly host: string; readonly setId: string }[] {
  const expected = expectedSetOf(context);
  const chosen = expected ?? mongoReport(context)?.config?.setId ?? null;
  return (mongoReport(context)?.identities ?? []).flatMap(({ host, setId }) =>
    setId === null || setId === chosen ? [] : [{ host, setId }],
  );
}

/** Ordinals of members that answer, and have no configuration: their volumes are empty. */
export function emptyOrdinals(context: Context): Set<number> {
  const identities = mongoReport(context)?.identities ?? [];
  const empty = identities.filter(({ setId }) => setId === null).map(({ host }) => ordinalOf(host));
  return new Set(empty.filter((ordinal) => ordinal !== null));
}

/** Claims that may hold data: all but those whose member answers that it has none. */
export function claimsWithData(context: Context): MemberClaim[] {
  const { cluster, observed } = context;
  const empty = emptyOrdinals(context);
  return memberClaims(cluster, observed.children).filter(({ ordinal }) => !empty.has(ordinal));
}

/** Ordinals of members in the configuration of the set; null while none is known. */
export function configuredOrdinals(context: Context): number[] | null {
  const config = mongoReport(context)?.config;
  if (!config) return null;
  const own = `${childName(context.cluster, 'mongodb')}-`;
  const hosts = config.members.map(({ host }) => host).filter((host) => host.startsWith(own));
  return hosts.map(ordinalOf).filter((ordinal) => ordinal !== null);
}

/** Ordinals of the pods that there are. */
export function podOrdinals({ observed }: Context): number[] {
  return podsOf(observed, 'mongodb')
    .map(({ metadata }) => ordinalOf(metadata.name))
    .filter((ordinal) => ordinal !== null);
}

/** How many members it takes to have all ordinals. */
function countFor(ordinals: readonly number[]): number {
  return Math.max(0, ...ordinals.map((ordinal) => ordinal + 1));
}

function liveReplicas(context: Context): number | null {
  const live = liveChild(context, 'StatefulSet', childName(context.cluster, 'mongodb'));
  return live === null ? null : ((live['spec'] as { readonly replicas?: number }).replicas ?? 1);
}

/** Members that have, or may have, data of the set: what it takes to start from the data that there is. */
function withData(context: Context): number {
  const kept = claimsWithData(context).filter(({ left }) => !left);
  return countFor(kept.map(({ ordinal }) => ordinal));
}

/** One more at a time, and only when all that there are take part: old data on a claim must not find a majority of its like. */
function grown(context: Context, now: number, configured: readonly number[]): number {
  const wanted = context.cluster.spec.mongodb.managed!.replicas;
  const all = Array.from({ length: now }, (_, ordinal) => ordinal);
  const isTakenIn = isWhole(mongoReport(context)) && all.every((ordinal) => configured.includes(ordinal));
  return isTakenIn ? Math.min(now + 1, wanted) : now;
}

/**
 * How many members the StatefulSet must have. The configuration of the data decides, not the spec: a member that is in
 * the configuration keeps its pod, and where the configuration is not known every claim that may hold data gets one.
 */
export function mongoReplicas(context: Context): number {
  const wanted = context.cluster.spec.mongodb.managed!.replicas;
  const now = liveReplicas(context);
  const configured = configuredOrdinals(context);
  if (configured === null) {
    const kept = withData(context);
    if (now !== null) return expectedSetOf(context) === null && kept === 0 ? wanted : Math.max(now, kept);
    return kept === 0 ? wanted : kept;
  }
  const needed = countFor(configured);
  if (needed >= wanted) return needed;
  const current = Math.max(now ?? needed, needed);
  return current > wanted ? wanted : grown(context, current, configured);
}
