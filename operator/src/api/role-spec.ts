import { z } from 'zod';
import { about, count, mapListOf, name, podMetadata, quantity, raw, text, texts } from './schema-kit.ts';

/** `resources` of a container. */
export type Resources = z.output<ResourcesSchema>;
export type Placement = z.output<typeof PLACEMENT>;
/** What both roles have. */
export type RoleSpec = z.output<typeof ENDPOINT_SPEC>;
export type ScalingSpec = RoleSpec['scaling'];
export type ScalingBehavior = ScalingSpec['behavior']['scaleUp'];

/** What a container asks for, and the most that it gets. */
export interface ResourceDefaults {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/** What the roles differ in. */
interface RoleDefaults {
  readonly role: 'endpoint' | 'worker';
  /** The smallest that `min` may be. */
  readonly least: number;
  readonly min: number;
  readonly max: number;
  readonly resources: ResourceDefaults;
  readonly cpuUtilization: number;
  readonly graceSeconds: number;
  /** What `scaling.disk` says of itself. */
  readonly disk: string;
}

/** With these a variable names code that the process loads: whoever may set them runs what they like in every pod. */
const LOADING_ENV = ['NODE_OPTIONS', 'NODE_PATH', 'OPENSSL_CONF', 'OPENSSL_MODULES', 'GLIBC_TUNABLES'];

/** These the operator sets itself: a cluster of which they were changed would fall apart. */
export const RESERVED_ENV = [
  ...['POD_NAME', 'NODE_NAME', 'LISTEN_HOST', 'LISTEN_PORT', 'ADMIN_HOST', 'ADMIN_PORT', 'ENDPOINT_ID'],
  ...['WORKER_ID', 'HASHCLUSTER_MODE', 'MONGODB_URI', 'MONGODB_USERNAME', 'MONGODB_PASSWORD'],
  'MONGODB_REPLICA_SET_ID',
  ...['MONGODB_DATABASE', 'KAFKA_BROKERS', 'KAFKA_USERNAME', 'KAFKA_PASSWORD', 'KAFKA_SASL_MECHANISM'],
  ...['KAFKA_TLS', 'KAFKA_TLS_CA_FILE', 'KAFKA_TOPIC_PREFIX', 'KAFKA_PARTITIONS', 'KAFKA_REPLICATION'],
];

type Amounts = z.ZodDefault<z.ZodRecord<z.ZodString, ReturnType<typeof quantity>>>;
type ResourcesSchema = z.ZodObject<{ requests: Amounts; limits: Amounts }>;

/** `resources` of a container, with what holds where nothing is given. */
export function resources(defaults: ResourceDefaults): ResourcesSchema {
  const amounts = (description: string) =>
    z
      .record(z.string(), quantity('An amount, such as 500m or 1Gi.'))
      .meta({ description, maxProperties: 16 });
  return z
    .object({
      requests: amounts('What is set aside for the container.').default({ ...defaults.requests }),
      limits: amounts('The most that the container gets.').default({ ...defaults.limits }),
    })
    .meta(about('Resources of the container.'));
}

/** Where pods run; of roles and servers. */
export const PLACEMENT = z
  .object({
    nodeSelector: texts('Only nodes with these labels.').optional(),
    tolerations: z
      .array(raw('A toleration, as of a pod.'))
      .max(32)
      .optional()
      .meta(about('Tolerations of the pods.')),
    affinity: raw('The affinity of the pods. Without it, pods of a kind prefer different nodes.').optional(),
    topologySpread: z
      .array(raw('A constraint, as of a pod, without its labelSelector.'))
      .max(8)
      .optional()
      .meta(about('Topology spread constraints. The label selector is filled in.')),
    priorityClassName: name('The priority class of the pods.')
      .meta(
        about('The priority class of the pods; not one of the system’s own.', {
          rule: "!self.startsWith('system-')",
          message: 'a priority class of the system cannot be given',
        }),
      )
      .optional(),
  })
  .meta(about('Which nodes the pods may run on.'));

function envVar() {
  return z
    .object({
      name: text('The name of the variable.', 128, /^[A-Za-z_][A-Za-z0-9_]*$/),
      value: z.string().max(4096).optional().meta(about('Its value.')),
      valueFrom: raw('Where its value is, as of a container: secretKeyRef or configMapKeyRef.').optional(),
    })
    .meta(
      about('A variable.', {
        rule: 'has(self.value) != has(self.valueFrom)',
        message: 'exactly one of value and valueFrom must be given',
      }),
    );
}

function env() {
  const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
  return z
    .array(envVar())
    .max(64)
    .default([])
    .meta({
      ...about(
        'Further environment variables: settings of the service that have no field of their own.',
        {
          rule: `self.all(e, !(e.name in [${listed(RESERVED_ENV)}]))`,
          message: 'a variable that the operator sets itself cannot be given',
        },
        {
          rule: `self.all(e, !(e.name in [${listed(LOADING_ENV)}]) && !e.name.startsWith('LD_'))`,
          message: 'a variable that makes the process load code cannot be given',
        },
      ),
      ...mapListOf('name'),
    });
}

function direction(description: string, windowSeconds: number, policies: readonly PolicyDefault[]) {
  const policy = z.object({
    type: z.enum(['Pods', 'Percent']).meta(about('Pods, or percent of the pods there are.')),
    value: count('How many pods, or percent.', 1, 10_000),
    periodSeconds: count('Within how long.', 1, 1800),
  });
  return z
    .object({
      stabilizationWindowSeconds: count(
        'How long the decision must have held: the most cautious one within this time is followed.',
        0,
        3600,
      ).default(windowSeconds),
      policies: z
        .array(policy)
        .min(1)
        .max(8)
        .default([...policies])
        .meta(about('How many pods may come or go within a time.')),
      selectPolicy: z
        .enum(['Max', 'Min', 'Disabled'])
        .default('Max')
        .meta(about('Which policy counts when there are several; Disabled: never in this direction.')),
    })
    .prefault({})
    .meta(about(description));
}

interface PolicyDefault {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

function utilization(description: string, standard: number) {
  return z
    .object({
      enabled: z.boolean().default(true).meta(about('Whether it is looked at.')),
      utilization: count('The target, in percent.', 1, 100).default(standard),
    })
    .prefault({})
    .meta(about(description));
}

function seconds(description: string, standard: number) {
  return z
    .object({
      enabled: z.boolean().default(true).meta(about('Whether it is looked at.')),
      seconds: count('The target, in seconds.', 1, 86_400).default(standard),
    })
    .prefault({})
    .meta(about(description));
}

function targets({ cpuUtilization, disk }: RoleDefaults) {
  return {
    cpu: utilization(
      'CPU that the pods use, of their limit, or of their request where there is no limit. Needs metrics.k8s.io.',
      cpuUtilization,
    ),
    disk: utilization(disk, 80),
  };
}

/** How targets are followed. */
function manners() {
  return {
    tolerance: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .meta(about('Deviations from a target up to this share are let be, but never at the bounds.')),
    behavior: z
      .object({
        scaleUp: direction('How pods come.', 0, [
          { type: 'Percent', value: 100, periodSeconds: 15 },
          { type: 'Pods', value: 4, periodSeconds: 15 },
        ]),
        scaleDown: direction('How pods go.', 300, [{ type: 'Percent', value: 50, periodSeconds: 60 }]),
      })
      .prefault({})
      .meta(about('How fast to follow, in the words of HorizontalPodAutoscaler.')),
    paused: z
      .enum(['None', 'In', 'Out', 'Both'])
      .default('None')
      .meta(about('Do not scale in (fewer pods), out (more pods), or both.')),
  };
}

function sizeFields({ role, min, max, least, resources: standard }: RoleDefaults) {
  const fewest =
    least > 0
      ? `The fewest ${role}s.`
      : `The fewest ${role}s. With 0 there is none while there is nothing to do, and a job that is queued starts the first.`;
  return {
    replicas: z
      .object({
        min: count(fewest, least, 1000).default(min),
        max: count(`The most ${role}s.`, 1, 1000).default(max),
      })
      .prefault({})
      .meta(
        about(`How many ${role}s there may be. Equal bounds: always so many.`, {
          rule: 'self.min <= self.max',
          message: 'min must not be larger than max',
        }),
      ),
    resources: resources(standard).prefault({}),
  };
}

function podFields({ graceSeconds }: RoleDefaults) {
  return {
    placement: PLACEMENT.prefault({}),
    ...podMetadata(),
    env: env(),
    terminationGracePeriodSeconds: count(
      'How long a pod has for giving back what it works on.',
      30,
      3600,
    ).default(graceSeconds),
  };
}

const SCALING = about('What decides how many pods there are. The largest answer of all signals counts.');

const ENDPOINT: RoleDefaults = {
  ...{ role: 'endpoint', least: 1, min: 2, max: 10, cpuUtilization: 70, graceSeconds: 60 },
  resources: { requests: { cpu: '200m', memory: '192Mi' }, limits: { memory: '1Gi' } },
  disk: 'How full the disks of a managed MongoDB and Kafka may get. Above the target they answer late, and endpoints hold requests for longer: there are more endpoints than the minimum then, in proportion to how far the fullest disk is above it. Endpoints keep nothing on disk themselves.',
};

/** A CPU limit makes all workers equal: each hashes on as many threads as it has cores. */
const WORKER: RoleDefaults = {
  ...{ role: 'worker', least: 0, min: 2, max: 20, cpuUtilization: 90, graceSeconds: 60 },
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } },
  disk: 'How full the disks may get: those of a managed MongoDB and Kafka, as long as there is work for more workers, and those that the workers write to.',
};

/** `spec.endpoint`. Endpoints hold no jobs: how much work waits is the workers' affair. */
export const ENDPOINT_SPEC = z
  .object({
    ...sizeFields(ENDPOINT),
    scaling: z
      .object({ ...targets(ENDPOINT), ...manners() })
      .prefault({})
      .meta(SCALING),
    ...podFields(ENDPOINT),
  })
  .prefault({})
  .meta(about('What answers HTTP requests.'));

/** `spec.worker`. */
export const WORKER_SPEC = z
  .object({
    ...sizeFields(WORKER),
    scaling: z
      .object({
        ...targets(WORKER),
        backlog: seconds('Seconds of work that wait, for the pods there are.', 30),
        oldestAge: seconds('How long the oldest job has waited.', 60),
        ...manners(),
      })
      .prefault({})
      .meta(SCALING),
    ...podFields(WORKER),
  })
  .prefault({})
  .meta(about('What hashes.'));
