import type { MongoAddress, MongoUser } from '../action.ts';
import type { KubeObject } from '../kube.ts';
import type { MongoMember } from '../observed.ts';
import { parseQuantity } from '../quantity.ts';
import { childMeta, type Context } from './context.ts';
import { configuredOrdinals, expectedSetOf, podOrdinals } from '../mongo-set.ts';
import {
  appliedName,
  credentialsName,
  hostsOf,
  IDENTITY_ROLE,
  memberHosts,
  MONGO_SET,
  MONGO_USERS,
  passwordKey,
  PORTS,
} from './names.ts';
import { scratch } from './pod.ts';
import { DATA, serverSet } from './server-set.ts';
import { activeUser } from './users.ts';

/** The user `mongodb` of the image. */
const USER = 999;
const GIB = 1024 ** 3;
const KEYFILE = 'keyfile';

/** By the rule of mongod itself, which does not see the container's limit everywhere: half of what is beyond 1 GiB. */
function cacheGib(limit: string | number | undefined): number {
  const gib = (parseQuantity(limit) ?? 2 * GIB) / GIB;
  return Math.max(0.25, Math.round(((gib - 1) / 2) * 100) / 100);
}

function mongodArgs(context: Context): string[] {
  const { limits, requests } = context.cluster.spec.mongodb.managed!.resources;
  return [
    ...['mongod', '--replSet', MONGO_SET, '--bind_ip_all', '--port', String(PORTS.mongodb)],
    ...['--dbpath', '/data/db', '--keyFile', `/run/${KEYFILE}/${KEYFILE}`, '--quiet'],
    ...['--wiredTigerCacheSizeGB', String(cacheGib(limits['memory'] ?? requests['memory']))],
    // Nobody here reads the past, and its history costs cache.
    ...['--setParameter', 'minSnapshotHistoryWindowInSeconds=5'],
    ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
  ];
}

/**
 * mongod refuses a keyfile that a group may read, and a volume of a Secret for a user without root always lets the group
 * read: so it is copied into memory first.
 */
const START = `umask 077; cat /etc/${KEYFILE}/${KEYFILE} > /run/${KEYFILE}/${KEYFILE}; exec "$@"`;

const TCP = { tcpSocket: { port: 'mongodb' } };
const PROBES = {
  startupProbe: { ...TCP, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 300 },
  readinessProbe: { ...TCP, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 },
  livenessProbe: { ...TCP, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 6 },
};

/** The managed replica set. Its pods know nothing of each other: the operator makes them one. */
export function mongoSet(context: Context, replicas: number): KubeObject {
  const secretName = credentialsName(context.cluster, 'mongodb');
  return serverSet(context, 'mongodb', {
    replicas,
    parts: {
      command: ['bash', '-ec', START, 'mongod'],
      args: mongodArgs(context),
      ports: [{ name: 'mongodb', containerPort: PORTS.mongodb }],
      probes: PROBES,
      user: USER,
      // A primary hands over before it goes.
      graceSeconds: 90,
      volumes: [
        scratch('tmp', '64Mi'),
        { name: 'run-keyfile', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        {
          name: KEYFILE,
          secret: { secretName, defaultMode: 0o440, items: [{ key: KEYFILE, path: KEYFILE }] },
        },
      ],
      mounts: [
        { name: DATA, mountPath: '/data/db' },
        { name: 'tmp', mountPath: '/tmp' },
        { name: 'run-keyfile', mountPath: `/run/${KEYFILE}` },
        { name: KEYFILE, mountPath: `/etc/${KEYFILE}`, readOnly: true },
      ],
    },
  });
}

/** How the managed replica set is reached: members that should be, that are in its configuration, or that have a pod. */
export function mongoAddress(context: Context): MongoAddress {
  const { cluster, observed } = context;
  const wanted = Array.from({ length: cluster.spec.mongodb.managed!.replicas }, (_, ordinal) => ordinal);
  const ordinals = [...wanted, ...podOrdinals(context), ...(configuredOrdinals(context) ?? [])];
  const domain = observed.defaults.clusterDomain;
  return {
    setName: MONGO_SET,
    setId: expectedSetOf(context),
    hosts: hostsOf(cluster, 'mongodb', { ordinals, port: PORTS.mongodb, domain }),
    keyfile: { name: credentialsName(cluster, 'mongodb'), key: KEYFILE },
  };
}

/** In the ConfigMap: the id of the replica set. */
export const SET_KEY = 'replicaSetId';

/** Says to endpoints and workers which replica set they must find; null while none is known. */
export function mongoConfigMap(context: Context): KubeObject | null {
  const setId = expectedSetOf(context);
  if (setId === null) return null;
  return {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: childMeta(context, 'mongodb') },
    data: { [SET_KEY]: setId },
  };
}

/** Members as the replica set should have them. All vote: there are seven at most. */
export function mongoMembers({ cluster, observed }: Context): MongoMember[] {
  const { replicas } = cluster.spec.mongodb.managed!;
  const domain = observed.defaults.clusterDomain;
  const hosts = memberHosts(cluster, 'mongodb', { replicas, port: PORTS.mongodb, domain });
  return hosts.map((host, id) => ({ id, host, votes: 1, priority: 1 }));
}

/** Users with the least that they need. */
export function mongoUsers(context: Context): MongoUser[] {
  const { cluster } = context;
  const work = [
    { role: 'readWrite', db: cluster.spec.mongodb.database },
    { role: IDENTITY_ROLE, db: 'admin' },
  ];
  const watch = [{ role: 'clusterMonitor', db: 'admin' }];
  const roles: Record<(typeof MONGO_USERS)[number], MongoUser['roles']> = {
    admin: [{ role: 'root', db: 'admin' }],
    operator: [...watch, { role: 'clusterManager', db: 'admin' }],
    endpoint: work,
    worker: work,
    monitor: watch,
  };
  const secret = appliedName(cluster, 'mongodb');
  return MONGO_USERS.map((user) => {
    const name = activeUser(context, 'mongodb', user);
    return { name, roles: roles[user], secret: { name: secret, key: passwordKey(name) } };
  });
}
