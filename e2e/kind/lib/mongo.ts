import type { TestCluster } from './hash-cluster.ts';

const SET_ID = 'hashcluster.io/replica-set-id';

/** What a HashCluster remembers of its replica set. */
export interface ReplicaSet {
  readonly id?: string;
  readonly volumes?: readonly { readonly claim: string; readonly lostAt?: string }[];
  readonly dataLost?: readonly { readonly at: string; readonly reason: string }[];
}

/** The replica set of the status; empty where none is known. */
export async function replicaSetOf(cluster: TestCluster): Promise<ReplicaSet> {
  const known = await cluster.namespace.find('hashcluster', cluster.name);
  return ((known?.status ?? {}) as { readonly replicaSet?: ReplicaSet }).replicaSet ?? {};
}

/** Ids of the replica sets that the data of members belongs to, as their claims and the status say, without repetition. */
export async function replicaSets(cluster: TestCluster): Promise<string[]> {
  const selector = `app.kubernetes.io/instance=${cluster.name},app.kubernetes.io/component=mongodb`;
  const claims = await cluster.namespace.list('pvc', selector);
  const ids = claims.map(({ metadata }) => {
    const { annotations = {} } = metadata as { readonly annotations?: Readonly<Record<string, string>> };
    return annotations[SET_ID];
  });
  const { id: remembered } = await replicaSetOf(cluster);
  return [...new Set([...ids, remembered].filter((id) => id !== undefined))];
}

/** Deletes the pod of the first member, which was elected first: then another one is the primary. */
export async function moveStoreLeader(cluster: TestCluster): Promise<void> {
  await cluster.namespace.kubectl(['delete', 'pod', `${cluster.name}-mongodb-0`]);
  await cluster.ready();
}

/** Deletes the volume of a member with all that is on it, and its pod, where there is one. */
export async function loseVolume(cluster: TestCluster, ordinal: number): Promise<void> {
  const pod = `${cluster.name}-mongodb-${ordinal}`;
  await cluster.namespace.kubectl(['delete', 'pvc', `data-${pod}`, '--wait=false']);
  await cluster.namespace.kubectl(['delete', 'pod', pod, '--ignore-not-found', '--grace-period=1']);
}
