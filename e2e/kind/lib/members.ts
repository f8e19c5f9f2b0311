import type { TestCluster } from './hash-cluster.ts';
import { saysReady } from './kube.ts';
import { OPERATOR_HOME } from './operator.ts';

/** A member of MongoDB, as it answers itself. */
export interface Member {
  readonly pod: string;
  /** `settings.replicaSetId` of its configuration; null: it has none. */
  readonly setId: string | null;
  readonly isPrimary: boolean;
}

/** Asks each member with the keyfile, for a member without data knows no users. */
const SCRIPT = `
const { MongoClient } = require('mongodb');
const { members, keyfile } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const limits = { serverSelectionTimeoutMS: 4000, connectTimeoutMS: 4000, socketTimeoutMS: 4000 };
const auth = { username: '__system', password: keyfile };
const ask = async ({ pod, ip }) => {
  const options = { directConnection: true, auth, authSource: 'local', authMechanism: 'SCRAM-SHA-256', ...limits };
  const client = new MongoClient('mongodb://' + ip + ':27017', options);
  try {
    const admin = client.db('admin');
    const { isWritablePrimary } = await admin.command({ hello: 1 });
    const config = await admin.command({ replSetGetConfig: 1 }).catch((error) => {
      if (error.code === 94) return null;
      throw error;
    });
    return { pod, setId: config && String(config.config.settings.replicaSetId), isPrimary: isWritablePrimary === true };
  } finally {
    await client.close(true);
  }
};
Promise.all(members.map(ask)).then((answers) => console.log(JSON.stringify(answers)));
`;

/** What all ready members answer. Rejects when one of them does not. */
export async function askMembers(cluster: TestCluster): Promise<Member[]> {
  const selector = `app.kubernetes.io/instance=${cluster.name},app.kubernetes.io/component=mongodb`;
  const pods = await cluster.namespace.list('pods', selector);
  const members = pods
    .filter(({ metadata, status }) => saysReady(status) && metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => ({ pod: metadata.name, ip: (status as { podIP?: string }).podIP }));
  const keyfile = (await secretValue(cluster, 'keyfile')).replace(/\s/g, '');
  const where = ['exec', '--stdin', 'deployment/hashcluster-operator', '--'];
  const input = JSON.stringify({ members, keyfile });
  const command = [...where, '/nodejs/bin/node', '--eval', SCRIPT];
  return JSON.parse(await OPERATOR_HOME.kubectl(command, { input, limitMs: 30_000 })) as Member[];
}

/** A value of the Secret with MongoDB's credentials. */
export async function secretValue(cluster: TestCluster, key: string): Promise<string> {
  const found = await cluster.namespace.find('secret', `${cluster.name}-mongodb-credentials`);
  const { data = {} } = (found ?? {}) as { readonly data?: Readonly<Record<string, string>> };
  return Buffer.from(data[key] ?? '', 'base64').toString();
}

/** Ids of the replica sets that these members are in, without repetition. */
export function setsOf(members: readonly Member[]): string[] {
  return [...new Set(members.flatMap(({ setId }) => setId ?? []))];
}

/** Ids of the replica sets that accept writes now. */
export function inService(members: readonly Member[]): string[] {
  return setsOf(members.filter(({ isPrimary }) => isPrimary));
}
