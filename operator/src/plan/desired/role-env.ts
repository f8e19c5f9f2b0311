import type { RoleSpec } from '../../api/role-spec.ts';
import type { Role } from '../observed.ts';
import { parseQuantity } from '../quantity.ts';
import { liveChild, type Context } from './context.ts';
import { SET_KEY } from './mongodb.ts';
import { mongoReplicas } from '../mongo-set.ts';
import { serviceImage } from './images.ts';
import {
  appliedName,
  childName,
  credentialsName,
  memberHosts,
  MONGO_SET,
  passwordKey,
  PORTS,
} from './names.ts';
import { activeUser, isRotated } from './users.ts';

/** An entry of `env` of a container. */
export type EnvEntry = {
  readonly name: string;
  readonly value?: string | undefined;
  readonly valueFrom?: object | undefined;
};

/** Where certificates are mounted that an external Kafka is trusted by. */
export const KAFKA_CA = { volume: 'kafka-ca', path: '/etc/hashcluster/kafka-ca', key: 'ca.crt' } as const;

/** More seeds than these do not make a client find the replica set any sooner, and a new one would restart every pod. */
const SEEDS = 3;

function value(name: string, text: string | number | boolean): EnvEntry {
  return { name, value: String(text) };
}

function fromSecret(name: string, secret: string, key: string): EnvEntry {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

function fromField(name: string, fieldPath: string): EnvEntry {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

/**
 * How many members the address of clients names: it changes last, when all that come have come, and all that go have gone.
 * Numbers of members are odd, so one that is even is between two of them.
 */
function seedsOf(context: Context): number {
  const wanted = context.cluster.spec.mongodb.managed?.replicas ?? 1;
  const members = mongoReplicas(context);
  const settled = members < wanted ? members - 1 + (members % 2) : members + 1 - (members % 2);
  return Math.min(Math.max(1, settled), SEEDS);
}

function mongoEnv(context: Context, role: Role): EnvEntry[] {
  const { cluster, observed } = context;
  const { external, database } = cluster.spec.mongodb;
  if (external) {
    return [fromSecret('MONGODB_URI', external.secretName, 'uri'), value('MONGODB_DATABASE', database)];
  }
  const hosts = memberHosts(cluster, 'mongodb', {
    replicas: seedsOf(context),
    ...{ port: PORTS.mongodb, domain: observed.defaults.clusterDomain },
  });
  // The kubelet puts the password in; it is made of letters that need no escape.
  const user = activeUser(context, 'mongodb', role);
  // Until a password was changed for the first time, pods read it where they always have: another place would restart them.
  const secret = isRotated(context, 'mongodb', role)
    ? appliedName(cluster, 'mongodb')
    : credentialsName(cluster, 'mongodb');
  const uri = `mongodb://${user}:$(MONGODB_PASSWORD)@${hosts.join(',')}/?replicaSet=${MONGO_SET}&authSource=admin`;
  return [
    fromSecret('MONGODB_PASSWORD', secret, passwordKey(user)),
    value('MONGODB_URI', uri),
    ...identityEnv(context, role),
    value('MONGODB_DATABASE', database),
  ];
}

interface Containers {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly image?: string;
          readonly env?: readonly { readonly name: string }[];
        }[];
      };
    };
  };
}

const SET_VARIABLE = 'MONGODB_REPLICA_SET_ID';

/**
 * The replica set that a pod must find, as it is known when the pod starts: a value in the template itself would restart all
 * of them when a new cluster's set is made. Pods that were made without it are not restarted for it either.
 */
function identityEnv(context: Context, role: Role): EnvEntry[] {
  const live = liveChild(context, 'Deployment', childName(context.cluster, role)) as Containers | null;
  const container = live?.spec?.template?.spec?.containers?.[0];
  const isKept = container?.image === serviceImage(context).image;
  if (isKept && !container.env?.some(({ name }) => name === SET_VARIABLE)) return [];
  const reference = { name: childName(context.cluster, 'mongodb'), key: SET_KEY, optional: true };
  return [{ name: SET_VARIABLE, valueFrom: { configMapKeyRef: reference } }];
}

function externalKafkaEnv({ cluster }: Context): EnvEntry[] {
  const external = cluster.spec.kafka.external!;
  const { brokers, secretName, mechanism, tls, replication } = external;
  return [
    value('KAFKA_BROKERS', brokers.join(',')),
    value('KAFKA_REPLICATION', replication),
    ...(secretName === undefined
      ? []
      : [
          fromSecret('KAFKA_USERNAME', secretName, 'username'),
          fromSecret('KAFKA_PASSWORD', secretName, 'password'),
          value('KAFKA_SASL_MECHANISM', mechanism),
        ]),
    ...(tls.enabled ? [value('KAFKA_TLS', true)] : []),
    ...(tls.enabled && tls.caSecretName !== undefined
      ? [value('KAFKA_TLS_CA_FILE', `${KAFKA_CA.path}/${KAFKA_CA.key}`)]
      : []),
  ];
}

function managedKafkaEnv(context: Context, role: Role): EnvEntry[] {
  const { cluster, observed } = context;
  const replicas = cluster.spec.kafka.managed?.replicas ?? 1;
  const domain = observed.defaults.clusterDomain;
  const brokers = memberHosts(cluster, 'kafka', { replicas, port: PORTS.kafka, domain });
  const user = activeUser(context, 'kafka', role);
  // As with MongoDB: another place would restart pods whose password was never changed.
  const secret = isRotated(context, 'kafka', role)
    ? appliedName(cluster, 'kafka')
    : credentialsName(cluster, 'kafka');
  return [
    value('KAFKA_BROKERS', brokers.join(',')),
    value('KAFKA_REPLICATION', Math.min(3, replicas)),
    value('KAFKA_USERNAME', user),
    fromSecret('KAFKA_PASSWORD', secret, passwordKey(user)),
    value('KAFKA_SASL_MECHANISM', 'scram-sha-512'),
  ];
}

function telemetryEnv({ cluster }: Context): EnvEntry[] {
  const { logging, monitoring } = cluster.spec;
  const { otlp } = monitoring;
  const logs = [value('LOG_LEVEL', logging.level), value('LOG_FORMAT', logging.format)];
  if (!otlp) return logs;
  const exporter = (signal: 'traces' | 'metrics' | 'logs'): EnvEntry =>
    value(`OTEL_${signal.toUpperCase()}_EXPORTER`, otlp.signals.includes(signal) ? 'otlp' : 'none');
  return [
    ...logs,
    value('OTEL_EXPORTER_OTLP_ENDPOINT', otlp.endpoint),
    value('OTEL_EXPORTER_OTLP_PROTOCOL', otlp.protocol),
    ...[exporter('traces'), exporter('metrics'), exporter('logs')],
  ];
}

function commonEnv(context: Context, role: Role): EnvEntry[] {
  const { spec } = context.cluster;
  return [
    fromField('POD_NAME', 'metadata.name'),
    fromField('NODE_NAME', 'spec.nodeName'),
    value('ADMIN_PORT', PORTS.admin),
    ...mongoEnv(context, role),
    value('KAFKA_TOPIC_PREFIX', spec.kafka.topicPrefix),
    value('KAFKA_PARTITIONS', spec.kafka.partitions),
    ...(spec.kafka.external ? externalKafkaEnv(context) : managedKafkaEnv(context, role)),
    value('RESULT_RETENTION', spec.retention.results),
    value('CACHE_SHARED', spec.cache.shared),
    value('INLINE_ITERATIONS', spec.limits.inlineIterations),
    ...telemetryEnv(context),
  ];
}

/** Longer than the longest wait that is granted, or it would cut that off. */
const IDLE_MARGIN_SECONDS = 60;
const IDLE_SECONDS = 120;

function endpointEnv({ cluster }: Context): EnvEntry[] {
  const { limits, ingress } = cluster.spec;
  return [
    value('LISTEN_PORT', PORTS.http),
    value('TRUST_PROXY_HOPS', ingress.enabled ? ingress.trustProxyHops : 0),
    ...(limits.allowedClients.length > 0 ? [value('ALLOWED_CLIENTS', limits.allowedClients.join())] : []),
    value('MAX_ITERATIONS', limits.maxIterations),
    value('MAX_BODY_BYTES', limits.maxBodyBytes),
    value('MAX_DOCUMENT_BYTES', limits.maxDocumentBytes),
    value('MAX_HELD_BYTES', limits.maxHeldBytes),
    value('MAX_CONNECTIONS', limits.maxConnections),
    value('WAIT_SECONDS_MAX', limits.maxWaitSeconds),
    value('IDLE_TIMEOUT', `${Math.max(IDLE_SECONDS, limits.maxWaitSeconds + IDLE_MARGIN_SECONDS)}s`),
    value('RATE_WINDOW', `${limits.rate.windowSeconds}s`),
    value('RATE_LIMIT_PER_ADDRESS', limits.rate.perAddress),
    value('RATE_LIMIT_TOTAL', limits.rate.total),
  ];
}

/** The most that the service takes. */
const MAX_ENGINES = 1_024;

function workerEnv({ cluster }: Context): EnvEntry[] {
  const limit = cluster.spec.worker.resources.limits['cpu'];
  // More threads than cores it may use would only be throttled.
  return limit === undefined
    ? []
    : [value('HASH_ENGINES', Math.min(MAX_ENGINES, Math.max(1, Math.ceil(parseQuantity(limit) ?? 1))))];
}

/** What a pod needs of its grace period besides giving its work back: to be taken out of Services, to close connections. */
const STOP_MARGIN_SECONDS = 15;

/**
 * Variables of the service, in the names of services/src/roles/settings.ts. The spec's own `env` is stronger, but for what
 * admission has refused.
 */
export function roleEnv(context: Context, role: Role): EnvEntry[] {
  const spec: RoleSpec = context.cluster.spec[role];
  const ours = [
    ...commonEnv(context, role),
    ...(role === 'endpoint' ? endpointEnv(context) : workerEnv(context)),
    value('DRAIN_TIMEOUT', `${spec.terminationGracePeriodSeconds - STOP_MARGIN_SECONDS}s`),
  ];
  const given = new Set(spec.env.map(({ name }) => name));
  return [...ours.filter(({ name }) => !given.has(name)), ...spec.env];
}
