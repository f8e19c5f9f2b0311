import { FINALIZER } from '../api/hash-cluster.ts';
import type { Action } from './action.ts';
import { isAtHome, liveChild, ownApplied, ownSecret, type Context } from './desired/context.ts';
import { childName } from './desired/names.ts';
import { refOf } from './kube.ts';
import { componentOf, timeOf } from './pods.ts';
import type { Workload } from './rollout.ts';
import { claimsOf } from './volumes.ts';

/** Workers have their grace period, and this. Then the rest goes too: their checkpoints are in the store. */
const MARGIN_MS = 60_000;

const SERVERS = ['mongodb', 'kafka'] as const;

function workerPods({ observed }: Context): number {
  return observed.pods.filter((pod) => componentOf(pod) === 'worker').length;
}

function isDrained(context: Context): boolean {
  const { metadata, spec } = context.cluster;
  const since = timeOf(metadata.deletionTimestamp) ?? 0;
  const bound = spec.worker.terminationGracePeriodSeconds * 1000 + MARGIN_MS;
  return workerPods(context) === 0 || context.observed.now - since > bound;
}

function drain(context: Context): Action[] {
  const live: Workload | null = liveChild(context, 'Deployment', childName(context.cluster, 'worker'));
  if (live === null || live.spec?.replicas === 0) return [];
  const why = 'the cluster is being deleted: workers give their jobs back';
  return [{ kind: 'scale', ref: refOf(live), replicas: 0, why }];
}

function deleteData(context: Context): Action[] {
  const why = 'the cluster is being deleted, and deletionPolicy is Delete';
  const { cluster } = context;
  // Without their StatefulSet first, members would ask for new volumes.
  const sets = SERVERS.map((server) => liveChild(context, 'StatefulSet', childName(cluster, server)));
  const claims = SERVERS.flatMap((server) => claimsOf(context, server));
  const { namespace } = cluster.metadata;
  const secrets = SERVERS.flatMap((server) => [ownSecret(context, server), ownApplied(context, server)])
    .filter((secret) => secret !== null)
    .map(({ name, uid }) => ({ apiVersion: 'v1', kind: 'Secret', namespace, name, uid }));
  return [
    ...[...sets.filter((set) => set !== null), ...claims]
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((object) => ({ kind: 'delete' as const, ref: refOf(object), why })),
    ...secrets.map((ref) => ({ kind: 'delete' as const, ref, why })),
  ];
}

/**
 * What is left to do for a cluster that is being deleted: workers give their jobs back, then data goes where that is asked
 * for, then the garbage collector takes everything else.
 */
export function planDeletion(context: Context): Action[] {
  const { metadata, spec } = context.cluster;
  if (!metadata.finalizers?.includes(FINALIZER)) return [];
  if (!isAtHome(context) && !isDrained(context)) return drain(context);
  const why = workerPods(context) === 0 ? 'workers are gone' : 'workers did not go in time';
  return [
    ...(spec.deletionPolicy === 'Delete' ? deleteData(context) : []),
    { kind: 'finalizer', change: 'remove', why },
  ];
}
