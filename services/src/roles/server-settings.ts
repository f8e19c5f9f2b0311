import { KAFKA_CLIENTS, type KafkaBusOptions, type KafkaSasl } from '../adapters/kafka/options.ts';
import type { EnvReader } from '../runtime/settings.ts';

/** Where MongoDB is. */
export interface MongoSettings {
  /** A secret: it may hold a password. */
  readonly uri: string;
  readonly database: string;
  /** The id of the replica set that is meant; null: any. */
  readonly replicaSetId: string | null;
}

/** Where Kafka is, and what its topics are like. */
export interface KafkaSettings extends Omit<
  KafkaBusOptions,
  'tls' | 'logger' | 'metrics' | 'clock' | 'databaseId'
> {
  /** Null: no TLS. `caFile`: certificates to trust, in PEM; null: those that node trusts. */
  readonly tls: { readonly caFile: string | null } | null;
}

const MECHANISMS: readonly KafkaSasl['mechanism'][] = ['plain', 'scram-sha-256', 'scram-sha-512'];

/** One broker of three can die, and what is published is still taken by two. */
const MOST_COPIES = 3;

const BROKERS = /^[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*$/;

/** `MONGODB_*`. */
export function mongoSettings(read: EnvReader): MongoSettings {
  return {
    uri: required(read, 'MONGODB_URI', {
      pattern: /^mongodb(\+srv)?:\/\/\S+$/,
      expected: 'an address such as mongodb://host-1,host-2,host-3/?replicaSet=rs0',
      secret: true,
    }),
    database: read.text('MONGODB_DATABASE', {
      default: 'hashcluster',
      pattern: /^[\w-]{1,38}$/,
      expected: 'the name of a database: letters, digits, _ and -, 38 at most',
    }),
    replicaSetId: read.text('MONGODB_REPLICA_SET_ID', {
      default: null,
      pattern: /^[0-9a-f]{24}$/,
      expected: 'the settings.replicaSetId of rs.conf(): 24 hexadecimal characters',
    }),
  };
}

/** `KAFKA_*`. */
export function kafkaSettings(read: EnvReader, clientId: string): KafkaSettings {
  const brokers = required(read, 'KAFKA_BROKERS', {
    pattern: BROKERS,
    expected: 'brokers such as host-1:9092,host-2:9092',
  });
  return {
    client: read.choice('KAFKA_CLIENT', { default: 'platformatic', of: KAFKA_CLIENTS }),
    brokers: brokers.split(','),
    clientId: read.text('KAFKA_CLIENT_ID', { default: clientId }),
    topicPrefix: read.text('KAFKA_TOPIC_PREFIX', {
      default: 'hashcluster.',
      pattern: /^[\w.-]{1,100}$/,
      expected: 'letters, digits, ".", "_" and "-"',
    }),
    partitions: read.integer('KAFKA_PARTITIONS', { default: 16, min: 1, max: 1_024 }),
    replication: read.integer('KAFKA_REPLICATION', {
      default: Math.min(MOST_COPIES, brokers.split(',').length),
      ...{ min: 1, max: 16 },
    }),
    tls: tlsSettings(read),
    sasl: saslSettings(read),
  };
}

function tlsSettings(read: EnvReader): KafkaSettings['tls'] {
  const caFile = read.text('KAFKA_TLS_CA_FILE', { default: null });
  return read.boolean('KAFKA_TLS', caFile !== null) ? { caFile } : null;
}

function saslSettings(read: EnvReader): KafkaSasl | null {
  const username = read.text('KAFKA_USERNAME', { default: null });
  const password = read.text('KAFKA_PASSWORD', { default: null, secret: true });
  const mechanism = read.choice('KAFKA_SASL_MECHANISM', { default: 'scram-sha-512', of: MECHANISMS });
  if (username !== null && password !== null) return { mechanism, username, password };
  if (username !== null) read.fault('KAFKA_PASSWORD', 'is needed with KAFKA_USERNAME');
  if (password !== null) read.fault('KAFKA_USERNAME', 'is needed with KAFKA_PASSWORD');
  return null;
}

interface RequiredText {
  readonly pattern: RegExp;
  readonly expected: string;
  readonly secret?: boolean;
}

/** Stands for a value that is wrong, until all that is wrong has been found. */
function required(read: EnvReader, name: string, setting: RequiredText): string {
  if (!read.has(name)) read.fault(name, `is needed: ${setting.expected}`);
  return read.text(name, { ...setting, default: '' });
}
