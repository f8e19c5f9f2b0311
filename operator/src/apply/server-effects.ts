import type { HashCluster } from '../api/hash-cluster.ts';
import type { ActionKind, ActionOf, KafkaAddress, MongoAddress, MongoUser } from '../plan/action.ts';
import type { KafkaServers, KafkaTarget } from '../servers/kafka.ts';
import type { MongoServers, MongoTarget } from '../servers/mongodb.ts';
import { giveAndPatch, type ReadSecret } from './secret-copies.ts';
import type { Writer } from './writer.ts';

/** What is done for each kind of action. */
export type Effects = {
  readonly [K in ActionKind]: (action: ActionOf<K>, cluster: HashCluster) => Promise<void> | void;
};

interface Secrets {
  readonly writer: Writer;
  readonly readSecret: ReadSecret;
}

type MongoKind = Extract<ActionKind, `${string}Mongo${string}`>;
type KafkaKind = Extract<ActionKind, `${string}Kafka${string}`>;

/** Kinds of what is done with managed servers. */
export type ServerKind = MongoKind | KafkaKind;

/** What is done with managed replica sets. */
export function mongoEffects({
  mongo,
  readSecret,
  writer,
}: Secrets & { readonly mongo: MongoServers }): Pick<Effects, MongoKind> {
  const target = async (cluster: HashCluster, address: MongoAddress): Promise<MongoTarget> => {
    const { name, key } = address.keyfile;
    const keyfile = await readSecret(cluster.metadata.namespace, name, key);
    return { setName: address.setName, setId: address.setId, hosts: address.hosts, keyfile };
  };
  const logins = ({ metadata: { namespace } }: HashCluster, users: readonly MongoUser[]) =>
    Promise.all(
      users.map(async ({ name, roles, secret }) => {
        const password = await readSecret(namespace, secret.name, secret.key);
        return { name, roles, password };
      }),
    );
  return {
    initiateMongo: async ({ address, members }, cluster) =>
      mongo.initiate(await target(cluster, address), members),
    reconfigureMongo: async ({ address, fromVersion, members }, cluster) =>
      mongo.reconfigure(await target(cluster, address), { fromVersion, members }),
    stepDownMongo: async ({ address, from, freeze }, cluster) =>
      mongo.stepDown(await target(cluster, address), { from, freeze }),
    fenceMongo: async ({ address, host }, cluster) => mongo.fence(await target(cluster, address), host),
    ensureMongoUsers: async ({ address, users }, cluster) =>
      mongo.ensureUsers(await target(cluster, address), await logins(cluster, users)),
    rotateMongoUsers: async ({ address, users, applied }, cluster) => {
      const replicaSet = await target(cluster, address);
      await giveAndPatch({ writer, readSecret }, applied, (passwords) =>
        mongo.ensureUsers(
          replicaSet,
          users.map(({ name, roles, secret }) => ({ name, roles, password: passwords[secret.key]! })),
        ),
      );
    },
    dropMongoUsers: async ({ address, names }, cluster) =>
      mongo.dropUsers(await target(cluster, address), names),
  };
}

/** What is done with managed brokers. */
export function kafkaEffects({
  kafka,
  readSecret,
  writer,
}: Secrets & { readonly kafka: KafkaServers }): Pick<Effects, KafkaKind> {
  const target = async (
    cluster: HashCluster,
    { hosts, user, secret }: KafkaAddress,
  ): Promise<KafkaTarget> => {
    const password = await readSecret(cluster.metadata.namespace, secret.name, secret.key);
    return { hosts, user, password };
  };
  return {
    rotateKafkaUsers: async ({ address, users, applied }, cluster) => {
      const brokers = await target(cluster, address);
      await giveAndPatch({ writer, readSecret }, applied, (passwords) =>
        kafka.setUsers(
          brokers,
          users.map(({ name, secret }) => ({ name, password: passwords[secret.key]! })),
        ),
      );
    },
    dropKafkaUsers: async ({ address, names, applied: { ref, annotations } }, cluster) => {
      await kafka.dropUsers(await target(cluster, address), names);
      await writer.merge(ref, { metadata: { annotations } });
    },
  };
}
