import { z } from 'zod';
import { PLACEMENT, resources, type ResourceDefaults } from './role-spec.ts';
import { about, count, name, podMetadata, storage, text, type CelRule } from './schema-kit.ts';

export type MongoSpec = z.output<typeof MONGO_SPEC>;
export type ManagedServer = NonNullable<MongoSpec['managed']>;

const ONE_OF: CelRule = {
  rule: 'has(self.managed) != has(self.external)',
  message: 'exactly one of managed and external must be given',
};
const STAYS: CelRule = {
  rule: 'has(self.managed) == has(oldSelf.managed)',
  message: 'managed and external cannot be exchanged: jobs would be lost. Make a new HashCluster',
};

/**
 * Controllers of Kafka and copies of its partitions do not move by themselves, so this version does not pretend that the
 * number of brokers could be changed. Everything on Kafka can be lost without losing a job.
 */
const FIXED: CelRule = { rule: 'self == oldSelf', message: 'the number of Kafka brokers cannot be changed' };
const ODD: CelRule = { rule: 'self % 2 == 1', message: 'replicas must be odd' };

interface ManagedDefaults {
  readonly replicaRules: readonly CelRule[];
  readonly storage: string;
  readonly maxReplicas: number;
  readonly resources: ResourceDefaults;
}

function managed(defaults: ManagedDefaults) {
  return z
    .object({
      replicas: count(
        'How many; an odd number, so that a majority is left when one is lost.',
        1,
        defaults.maxReplicas,
      )
        .default(3)
        .meta({ 'x-kubernetes-validations': defaults.replicaRules }),
      storage: storage('The size of each volume. It can be raised, never lowered.').default(defaults.storage),
      maxStorage: storage(
        'Volumes that are filling grow up to this size, where their class allows it. Without it they keep the size of `storage`.',
      ).optional(),
      storageClassName: name('The class of the volumes; without it, the default one.').optional(),
      image: text('The image, in place of the operator’s.', 512).optional(),
      resources: resources(defaults.resources).prefault({}),
      placement: PLACEMENT.prefault({}),
      ...podMetadata(),
    })
    .meta(
      about(
        'Run by the operator.',
        {
          rule: 'quantity(self.storage).compareTo(quantity(oldSelf.storage)) >= 0',
          message: 'storage cannot shrink',
        },
        {
          rule: '!has(self.maxStorage) || quantity(self.maxStorage).compareTo(quantity(self.storage)) >= 0',
          message: 'maxStorage must not be smaller than storage',
        },
        {
          rule: 'has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)',
          message: 'storageClassName cannot be changed',
        },
      ),
    );
}

const externalMongo = z
  .object({
    secretName: name('A Secret with the key `uri`: mongodb://user:password@host-1,host-2/?replicaSet=rs0'),
    ports: z
      .array(count('A port.', 1, 65_535))
      .min(1)
      .max(8)
      .default([27_017])
      .meta(about('Ports that the NetworkPolicy opens towards it.')),
  })
  .meta(about('Run by somebody else.'));

/** The store. */
export const MONGO_SPEC = z
  .object({
    database: text('The name of the database.', 38, /^[\w-]+$/)
      .default('hashcluster')
      .meta({
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'database cannot be changed' }],
      }),
    managed: managed({
      replicaRules: [ODD],
      storage: '10Gi',
      maxReplicas: 7,
      resources: { requests: { cpu: '50m', memory: '512Mi' }, limits: { memory: '1Gi' } },
    }).optional(),
    external: externalMongo.optional(),
  })
  .prefault({ managed: {} })
  .meta(about('MongoDB, which keeps jobs and results.', ONE_OF, STAYS));

const externalKafka = z
  .object({
    brokers: z
      .array(text('host:port', 260, /^[\w.-]+:\d{1,5}$/))
      .min(1)
      .max(32)
      .meta(about('Brokers to begin with.')),
    secretName: name('A Secret with the keys `username` and `password`.').optional(),
    mechanism: z
      .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
      .default('scram-sha-512')
      .meta(about('The SASL mechanism.')),
    tls: z
      .object({
        enabled: z.boolean().default(false).meta(about('Whether to speak TLS.')),
        caSecretName: name('A Secret with the key `ca.crt`: certificates to trust.').optional(),
      })
      .prefault({})
      .meta(about('Encryption.')),
    replication: count('How many copies of each message.', 1, 16).default(3),
  })
  .meta(about('Run by somebody else.'));

/** The bus. */
export const KAFKA_SPEC = z
  .object({
    topicPrefix: text('Topics begin with this.', 100, /^[\w.-]+$/)
      .default('hashcluster.')
      .meta({
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'topicPrefix cannot be changed' }],
      }),
    partitions: count('Partitions of a topic of jobs; more can be had later, fewer cannot.', 1, 1024)
      .default(16)
      .meta({
        'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'partitions cannot be fewer' }],
      }),
    managed: managed({
      replicaRules: [ODD, FIXED],
      storage: '5Gi',
      maxReplicas: 7,
      resources: { requests: { cpu: '100m', memory: '768Mi' }, limits: { memory: '1Gi' } },
    }).optional(),
    external: externalKafka.optional(),
  })
  .prefault({ managed: {} })
  .meta(about('Kafka, which carries ids, results and alive messages.', ONE_OF, STAYS));
