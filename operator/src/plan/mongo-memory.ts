import type { ClusterStatus, ReplicaSetStatus } from '../api/status.ts';
import type { ActionOf } from './action.ts';
import { liveChild, type Context } from './desired/context.ts';
import { mongoMembers } from './desired/mongodb.ts';
import { childName, ordinalOf } from './desired/names.ts';
import { refOf } from './kube.ts';
import {
  claimsWithData,
  configuredOrdinals,
  emptyOrdinals,
  expectedSetOf,
  knownSetsOf,
  LOSS_ACKNOWLEDGED,
  memberClaims,
  mongoReplicas,
  mongoReport,
  podOrdinals,
  SET_ID,
  SET_LEFT,
  strangersOf,
  takesPart,
  type MemberClaim,
} from './mongo-set.ts';
import type { MongoReport } from './observed.ts';
import { timeOf } from './pods.ts';

type Volume = NonNullable<ReplicaSetStatus['volumes']>[number];
type Loss = NonNullable<ReplicaSetStatus['dataLost']>[number];

const MAX_LOSSES = 8;
/** Instants of the status are whole seconds. */
const SECOND_MS = 1_000;

/** RFC 3339, without the fraction. */
function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function claimsOf({ cluster, observed }: Context): MemberClaim[] {
  return memberClaims(cluster, observed.children);
}

/** Ordinals whose members take part in the set, as a report with a primary says. */
function healthyOrdinals(report: MongoReport | null): Set<number> {
  if (!report?.config || report.primary === null) return new Set();
  const hosts = report.config.members.map(({ host }) => host).filter((host) => takesPart(report, host));
  return new Set(hosts.map(ordinalOf).filter((ordinal) => ordinal !== null));
}

/** What has become of a volume that once had the data. */
function followed(context: Context, volume: Volume, claim: MemberClaim | undefined): Volume {
  const { now, readings } = context.observed;
  const { lostAt } = volume;
  if (claim && claim.uid !== volume.uid) return { ...volume, uid: claim.uid, lostAt: instant(now) };
  if (lostAt === undefined) {
    const isEmpty = claim === undefined || emptyOrdinals(context).has(claim.ordinal);
    return isEmpty ? { ...volume, lostAt: instant(now) } : volume;
  }
  const isHealthy = claim !== undefined && healthyOrdinals(mongoReport(context)).has(claim.ordinal);
  // What was said before it was lost is about the volume that is gone.
  const isNews = (readings.mongo?.at ?? 0) >= Date.parse(lostAt) + SECOND_MS;
  return isHealthy && isNews ? { claim: volume.claim, uid: volume.uid } : volume;
}

/**
 * Volumes that were lost while there was no HashCluster: members of the configuration whose claims were made for this
 * HashCluster, although the data is older. Only the first report with a primary can tell.
 */
function lostBefore(context: Context, known: readonly Volume[]): Volume[] {
  const report = mongoReport(context);
  const id = report?.config?.setId;
  if (known.length > 0 || id === undefined || !report?.primary) return [];
  const { cluster, observed } = context;
  const createdAt = timeOf(cluster.metadata.creationTimestamp) ?? -Infinity;
  const isNew = ({ object }: MemberClaim): boolean =>
    (timeOf(object.metadata.creationTimestamp) ?? -Infinity) >= createdAt;
  const claims = claimsOf(context);
  if (!claims.some((claim) => claim.setId === id && !isNew(claim))) return [];
  const lostAt = instant(observed.now);
  const configured = configuredOrdinals(context) ?? [];
  return claims
    .filter((claim) => configured.includes(claim.ordinal) && claim.setId !== id && isNew(claim))
    .map(({ name, uid }) => ({ claim: name, uid, lostAt }));
}

/** Volumes of the set: each has the data, or has lost it and not been given it again. */
function nextVolumes(context: Context, before: readonly Volume[]): Volume[] {
  const claims = new Map(claimsOf(context).map((claim) => [claim.name, claim]));
  const configured = mongoReport(context)?.primary ? configuredOrdinals(context) : null;
  const kept = before
    .filter(({ claim }) => configured === null || configured.includes(ordinalOf(claim) ?? -1))
    .map((volume) => followed(context, volume, claims.get(volume.claim)));
  const lost = lostBefore(context, before);
  const known = new Set([...before, ...lost].map(({ claim }) => claim));
  const healthy = healthyOrdinals(mongoReport(context));
  const added = [...claims.values()]
    .filter(({ name, ordinal }) => !known.has(name) && healthy.has(ordinal))
    .map(({ name, uid }) => ({ claim: name, uid }));
  return [...kept, ...lost, ...added].sort((a, b) => (ordinalOf(a.claim) ?? 0) - (ordinalOf(b.claim) ?? 0));
}

/**
 * Whether a set was known, and is gone: every member that should be answers that it has no data, and so does every claim
 * of every ordinal. Who has decided for a set on the HashCluster waits for it, however long.
 */
function isEverythingLost(context: Context): boolean {
  const report = mongoReport(context);
  if (report === null || knownSetsOf(context).length === 0) return false;
  if (context.cluster.metadata.annotations?.[SET_ID]) return false;
  const empty = emptyOrdinals(context);
  return (
    report.identities.every(({ setId }) => setId === null) &&
    mongoMembers(context).every(({ host }) => empty.has(ordinalOf(host) ?? -1)) &&
    claimsWithData(context).length === 0
  );
}

function standingLosses({ cluster }: Context): Loss[] {
  const until = timeOf(cluster.metadata.annotations?.[LOSS_ACKNOWLEDGED]) ?? -Infinity;
  return (cluster.status?.replicaSet?.dataLost ?? []).filter(({ at }) => Date.parse(at) > until);
}

function withLosses(context: Context, losses: readonly Omit<Loss, 'at'>[]): Loss[] {
  const standing = standingLosses(context);
  const known = new Set(standing.map(({ message }) => message));
  const at = instant(context.observed.now);
  const added = losses.filter(({ message }) => !known.has(message)).map((loss) => ({ at, ...loss }));
  return [...standing, ...added].slice(-MAX_LOSSES);
}

function isMajority(volumes: readonly Volume[]): boolean {
  const lost = volumes.filter(({ lostAt }) => lostAt !== undefined).length;
  return lost * 2 > volumes.length && lost < volumes.length;
}

/** A majority of volumes at once: what was acknowledged last may have been on those alone. */
function majorityLoss(before: readonly Volume[], after: readonly Volume[]): Omit<Loss, 'at'>[] {
  if (!isMajority(after) || isMajority(before)) return [];
  const lost = after
    .filter(({ lostAt }) => lostAt !== undefined)
    .map(({ claim, uid }) => `${claim} (${uid})`);
  const message = `A majority of the volumes was lost before their members had copied the data: ${lost.join(', ')}. Jobs that were acknowledged shortly before may be gone`;
  return [{ reason: 'MajorityLost', message }];
}

/** A set that comes back as it was in an earlier term was put back by somebody. */
function olderData(before: ReplicaSetStatus | undefined, report: MongoReport | null): Omit<Loss, 'at'>[] {
  const { config = null, identities = [], primary = null } = report ?? {};
  const asked = new Set(identities.map(({ host }) => host));
  const isSure = config !== null && primary !== null && config.members.every(({ host }) => asked.has(host));
  if (!isSure || before?.term === undefined || config.term >= before.term) return [];
  const message = `Replica set ${config.setId} is back as of term ${config.term}, but was at term ${before.term}: jobs that were acknowledged in between are gone`;
  return [{ reason: 'OlderData', message }];
}

/** What is to be remembered of the managed replica set; undefined: nothing. */
export function nextReplicaSet(context: Context): ReplicaSetStatus | undefined {
  const { spec, status } = context.cluster;
  const before = status?.replicaSet;
  if (!spec.mongodb.managed) return undefined;
  if (isEverythingLost(context)) {
    const message = `All volumes of replica set ${knownSetsOf(context).join(', ')} were lost, and a new, empty one takes its place: its jobs and results are gone`;
    return { dataLost: withLosses(context, [{ reason: 'ReplicaSetLost', message }]) };
  }
  const next = remembered(context, before);
  return Object.keys(next).length === 0 ? undefined : next;
}

function remembered(context: Context, before: ReplicaSetStatus | undefined): ReplicaSetStatus {
  const report = mongoReport(context);
  const old = before?.volumes ?? [];
  const volumes = nextVolumes(context, old);
  const next = {
    id: report?.config?.setId ?? expectedSetOf(context) ?? undefined,
    term: report?.primary ? report.config?.term : before?.term,
    volumes,
    dataLost: withLosses(context, [...majorityLoss(old, volumes), ...olderData(before, report)]),
  };
  const isSaid = (value: unknown): boolean =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null;
  return Object.fromEntries(Object.entries(next).filter(([, value]) => isSaid(value)));
}

type Change = ActionOf<'annotate'>['annotations'];

/** Whether its member once took part, and is in the configuration no more; what a newcomer has is not known yet. */
function hasLeft(context: Context, claim: MemberClaim, id: string): boolean {
  const configured = mongoReport(context)?.primary ? configuredOrdinals(context) : null;
  if (configured === null || configured.includes(claim.ordinal)) return false;
  const isIdle = !podOrdinals(context).includes(claim.ordinal);
  return claim.setId === id || (isIdle && claim.setId === null);
}

/** Whether the volume is remembered as one that has the data. */
function hasData({ name, uid }: MemberClaim, next: ReplicaSetStatus | undefined): boolean {
  const volume = next?.volumes?.find(({ claim }) => claim === name);
  return volume?.uid === uid && volume.lostAt === undefined;
}

function noteOf(context: Context, claim: MemberClaim, next: ReplicaSetStatus | undefined): Change | null {
  const id = next?.id;
  if (id === undefined) return claim.setId !== null && isEverythingLost(context) ? { [SET_ID]: null } : null;
  // Whose set it is was decided, or remembered, and its data says otherwise.
  if (strangersOf(context).some(({ host }) => ordinalOf(host) === claim.ordinal)) return null;
  if (hasData(claim, next)) {
    return claim.setId === id && !claim.left ? null : { [SET_ID]: id, [SET_LEFT]: null };
  }
  return !claim.left && hasLeft(context, claim, id) ? { [SET_LEFT]: instant(context.observed.now) } : null;
}

/** Writes on the claims which set their data belongs to: that outlives the HashCluster. */
export function claimNotes(context: Context): ActionOf<'annotate'>[] {
  if (!context.cluster.spec.mongodb.managed) return [];
  const next = nextReplicaSet(context);
  return claimsOf(context).flatMap((claim) => {
    const annotations = noteOf(context, claim, next);
    const why = 'its volume says which replica set has its data';
    return annotations === null ? [] : [{ kind: 'annotate', ref: refOf(claim.object), annotations, why }];
  });
}

/** A managed set that is made with more members than the spec asks for, because the data has them. */
export function startEvents(context: Context): ActionOf<'event'>[] {
  const { managed } = context.cluster.spec.mongodb;
  const isNew = liveChild(context, 'StatefulSet', childName(context.cluster, 'mongodb')) === null;
  const members = managed && isNew ? mongoReplicas(context) : 0;
  if (!managed || members <= managed.replicas) return [];
  const message = `MongoDB starts with ${members} members, because there are volumes of so many; the spec asks for ${managed.replicas}. Members are removed one at a time once all of them are healthy`;
  return [{ kind: 'event', type: 'Normal', reason: 'StartsFromVolumes', message }];
}

/** Events for volumes and data that were lost between two statuses, or came back. */
export function replicaSetEvents(
  before: ClusterStatus | undefined,
  after: ClusterStatus,
): ActionOf<'event'>[] {
  const was = new Map((before?.replicaSet?.volumes ?? []).map((volume) => [volume.claim, volume]));
  const told = new Set((before?.replicaSet?.dataLost ?? []).map(({ message }) => message));
  const { volumes = [], dataLost = [] } = after.replicaSet ?? {};
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) => ({
    ...({ kind: 'event', type, reason, message } as const),
  });
  return [
    ...volumes.flatMap(({ claim, lostAt }) => {
      const old = was.get(claim);
      if (!old || (old.lostAt === undefined) === (lostAt === undefined)) return [];
      return lostAt === undefined
        ? [event('Normal', 'VolumeRestored', `${claim}: its member has copied the data from the others`)]
        : [
            event(
              'Warning',
              'VolumeLost',
              `${claim} has lost its data: its member copies it from the others`,
            ),
          ];
    }),
    ...dataLost
      .filter(({ message }) => !told.has(message))
      .map(({ reason, message }) => event('Warning', reason, message)),
  ];
}
