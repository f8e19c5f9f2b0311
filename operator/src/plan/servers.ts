import type { Action } from './action.ts';
import { applying } from './applying.ts';
import { foreignCredentials, liveChild, type Context } from './desired/context.ts';
import { kafkaSet } from './desired/kafka.ts';
import { mongoSet } from './desired/mongodb.ts';
import { childName } from './desired/names.ts';
import type { Server } from './desired/server-set.ts';
import type { KubeObject } from './kube.ts';
import { isWhole, mongoReplicas, mongoReport } from './mongo-set.ts';
import { fresh } from './observed.ts';
import { isHeld } from './overwritten.ts';
import { podsOf } from './pods.ts';
import { nextMember, outdated, type Members, type Workload } from './rollout.ts';

const VALID_MS = 60_000;

/** The StatefulSets that this cluster has. */
export function serverSets(context: Context): KubeObject[] {
  const { mongodb, kafka } = context.cluster.spec;
  return [
    ...(mongodb.managed ? [mongoSet(context, mongoReplicas(context))] : []),
    ...(kafka.managed ? [kafkaSet(context)] : []),
  ];
}

function liveSet(context: Context, server: Server): Workload | null {
  return liveChild(context, 'StatefulSet', childName(context.cluster, server));
}

function membersOf(context: Context, server: Server): Members {
  const members = { set: liveSet(context, server), pods: podsOf(context.observed, server) };
  if (server === 'mongodb') {
    const report = mongoReport(context);
    return { ...members, healthy: isWhole(report), leader: report?.primary?.split('.')[0] ?? null };
  }
  const { kafka } = context.observed.readings;
  const brokers = fresh(kafka, context.observed.now, VALID_MS)?.brokers.length;
  // Who cannot be asked is judged by the probes of its pods.
  return { ...members, healthy: brokers === undefined || brokers >= members.pods.length, leader: null };
}

const SERVERS = ['mongodb', 'kafka'] as const;

/** Managed servers of which members still run an older template. */
export function serversInRollout(context: Context): Server[] {
  return SERVERS.filter(
    (server) => outdated(liveSet(context, server), podsOf(context.observed, server)).length > 0,
  );
}

/** StatefulSets as they should be, and the next members to get a new template: one server after the other. */
export function planServers(context: Context): Action[] {
  const withheld = foreignCredentials(context).map((server) => childName(context.cluster, server));
  const applied = serverSets(context)
    .filter(({ metadata }) => !withheld.includes(metadata.name))
    .map((set) => applying(set, liveChild(context, 'StatefulSet', set.metadata.name)))
    .filter((action) => action !== null);
  // What is applied now is not what their revisions tell of yet.
  if (applied.some((action) => !isHeld(context.observed, action))) return applied;
  const [server] = serversInRollout(context);
  return [...applied, ...(server === undefined ? [] : nextMember(server, membersOf(context, server)))];
}
