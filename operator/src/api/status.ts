import { z } from 'zod';
import { about, mapListOf } from './schema-kit.ts';

export type ClusterStatus = z.output<typeof CLUSTER_STATUS>;
export type Condition = z.output<ReturnType<typeof condition>>;
export type ReplicaStatus = NonNullable<ClusterStatus['endpoint']>;
export type ReplicaSetStatus = NonNullable<ClusterStatus['replicaSet']>;
export type ScalingStatus = NonNullable<ClusterStatus['scaling']>[number];

/** What the operator says about a cluster, each time all of them. */
export const CONDITIONS = [
  'Ready',
  'Available',
  'Progressing',
  'Degraded',
  'ScalingLimited',
  'StoreReady',
  'DataLost',
  'BusReady',
] as const;
export type ConditionType = (typeof CONDITIONS)[number];

const instant = (description: string) => z.string().max(40).meta({ description, format: 'date-time' });
const whole = (description: string) => z.int().min(0).meta({ description });

/** Source: Kubernetes, `meta/v1 Condition`. */
function condition() {
  return z.object({
    type: z.string().max(64).meta(about('What it is about.')),
    status: z.enum(['True', 'False', 'Unknown']).meta(about('Whether it is so.')),
    observedGeneration: whole('The generation of the spec that it is about.'),
    lastTransitionTime: instant('When `status` changed.'),
    reason: z.string().max(128).meta(about('Why, in one word.')),
    message: z.string().max(4096).meta(about('Why, and what can be done about it.')),
  });
}

function replicas(description: string) {
  return z
    .object({
      replicas: whole('Pods there are.'),
      ready: whole('Pods that are ready.'),
      updated: whole('Pods that are as they should be.'),
      desired: whole('Pods there should be.'),
      selector: z.string().max(512).meta(about('The label selector of the pods.')),
    })
    .optional()
    .meta(about(description));
}

function scaling() {
  return z.object({
    role: z.enum(['endpoint', 'worker']).meta(about('Which pods.')),
    at: instant('When it was decided.'),
    from: whole('How many there were.'),
    to: whole('How many there should be.'),
    signal: z.string().max(64).meta(about('What asked for the most.')),
    why: z.string().max(1024).meta(about('Why.')),
  });
}

/** What is known of the data of the managed replica set. */
function replicaSet() {
  return z.object({
    id: z
      .string()
      .max(64)
      .optional()
      .meta(about('The `settings.replicaSetId` of the set that has the data. Absent before there is one.')),
    term: whole('The election term in which it was seen last.').optional(),
    volumes: z
      .array(
        z.object({
          claim: z.string().max(253).meta(about('The PersistentVolumeClaim.')),
          uid: z.string().max(64).meta(about('Its uid.')),
          lostAt: instant(
            'When the volume of this member was found to be empty; absent once its member has copied the data.',
          ).optional(),
        }),
      )
      .max(16)
      .optional()
      .meta({ ...about('Volumes of the members.'), ...mapListOf('claim') }),
    dataLost: z
      .array(
        z.object({
          at: instant('When it was found.'),
          reason: z.string().max(128).meta(about('Why, in one word.')),
          message: z.string().max(1024).meta(about('What is gone, or may be.')),
        }),
      )
      .max(8)
      .optional()
      .meta(about('Losses of data that nobody has acknowledged yet.')),
  });
}

/** `status`. Written by the operator alone. */
export const CLUSTER_STATUS = z
  .object({
    observedGeneration: whole('The generation of the spec that this is about.').optional(),
    observedAt: instant('When the operator last looked, give or take a minute.').optional(),
    conditions: z
      .array(condition())
      .max(16)
      .optional()
      .meta({ ...about('What is the case.'), ...mapListOf('type') }),
    url: z.string().max(512).optional().meta(about('Where the service is reached.')),
    version: z.string().max(512).optional().meta(about('The image that endpoints and workers run.')),
    endpoint: replicas('Endpoints.'),
    worker: replicas('Workers.'),
    mongodb: replicas('MongoDB.'),
    kafka: replicas('Kafka.'),
    replicaSet: replicaSet().optional().meta(about('The data of the managed MongoDB.')),
    backlog: z
      .object({
        seconds: z.number().min(0).optional().meta(about('Seconds of work; absent while nobody can do it.')),
        queued: whole('Jobs that wait.'),
        oldestSeconds: z.number().min(0).optional().meta(about('How long the oldest has waited.')),
      })
      .optional()
      .meta(about('What waits to be hashed, rounded. Absent while it is not known.')),
    scaling: z
      .array(scaling())
      .max(2)
      .optional()
      .meta({ ...about('The last change of the number of pods, and why.'), ...mapListOf('role') }),
    healing: z
      .object({
        replaced: whole('Pods replaced since the cluster was made.'),
        last: z.string().max(1024).meta(about('The last one, and why.')),
        lastAt: instant('When that was.'),
      })
      .optional()
      .meta(about('Pods that were replaced.')),
  })
  .meta(about('What the cluster is.'));
