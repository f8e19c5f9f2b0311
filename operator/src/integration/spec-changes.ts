import type { ClusterSpecInput } from '../api/spec.ts';

/** What a cluster is made from whose fields are changed, one after the other. */
export const BASES = {
  external: {
    ingress: { enabled: true, host: 'hash.example.org' },
    mongodb: { external: { secretName: 'mongo' } },
    kafka: {
      external: { brokers: ['kafka:9092'], secretName: 'kafka', tls: { enabled: true, caSecretName: 'ca' } },
    },
  },
  managed: {},
} satisfies Record<string, ClusterSpecInput>;

/** The Secrets that the bases name, and those that changes do. */
export const SECRETS = ['mongo', 'mongo-2', 'kafka', 'kafka-2', 'ca', 'ca-2'] as const;

/** One field, and what it is changed to. */
export interface SpecChange {
  readonly path: string;
  readonly value: unknown;
  /** Paths of fields that must change with it, or the API server would refuse. */
  readonly also?: Readonly<Record<string, unknown>>;
  /** Default: external, for servers take long to make and to roll. */
  readonly base?: keyof typeof BASES;
  /** It decides what the operator does, and is written on no object. */
  readonly isBehavior?: boolean;
}

const behavior = (path: string, value: unknown, also?: SpecChange['also']): SpecChange => {
  return { path, value, isBehavior: true, ...(also && { also }) };
};
const onServers = (change: SpecChange): SpecChange => ({ ...change, base: 'managed' });

const PEER = [{ podSelector: { matchLabels: { a: 'b' } } }];
const POLICIES = [{ type: 'Pods', value: 1, periodSeconds: 60 }];
const AFFINITY = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
    },
  },
};

function placement(part: string): SpecChange[] {
  return [
    { path: `${part}.placement.nodeSelector`, value: { disk: 'fast' } },
    {
      path: `${part}.placement.tolerations`,
      value: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }],
    },
    { path: `${part}.placement.affinity`, value: AFFINITY },
    {
      path: `${part}.placement.topologySpread`,
      value: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }],
    },
    { path: `${part}.placement.priorityClassName`, value: 'high' },
    { path: `${part}.podLabels`, value: { team: 'a' } },
    { path: `${part}.podAnnotations`, value: { note: 'a' } },
  ];
}

function role(name: 'endpoint' | 'worker'): SpecChange[] {
  const scaling = `${name}.scaling`;
  return [
    behavior(`${name}.replicas.min`, 1),
    behavior(`${name}.replicas.max`, 3),
    { path: `${name}.resources.requests`, value: { cpu: '75m', memory: '100Mi' } },
    { path: `${name}.resources.limits`, value: { cpu: '3', memory: '2Gi' } },
    ...['cpu', 'disk'].flatMap((signal) => [
      behavior(`${scaling}.${signal}.enabled`, false),
      behavior(`${scaling}.${signal}.utilization`, 42),
    ]),
    behavior(`${scaling}.tolerance`, 0.3),
    behavior(`${scaling}.paused`, 'Both'),
    ...['scaleUp', 'scaleDown'].flatMap((direction) => [
      behavior(`${scaling}.behavior.${direction}.stabilizationWindowSeconds`, 7),
      behavior(`${scaling}.behavior.${direction}.policies`, POLICIES),
      behavior(`${scaling}.behavior.${direction}.selectPolicy`, 'Disabled'),
    ]),
    ...placement(name),
    { path: `${name}.env`, value: [{ name: 'LOG_STYLE', value: 'x' }] },
    { path: `${name}.terminationGracePeriodSeconds`, value: 90 },
  ];
}

function managed(server: 'mongodb' | 'kafka'): SpecChange[] {
  const changes = [
    behavior(`${server}.managed.maxStorage`, '50Gi'),
    { path: `${server}.managed.image`, value: 'example.org/server:2' },
    { path: `${server}.managed.resources.requests`, value: { cpu: '75m', memory: '1Gi' } },
    { path: `${server}.managed.resources.limits`, value: { memory: '3Gi' } },
    ...placement(`${server}.managed`),
  ];
  return changes.map(onServers);
}

const HEALING = {
  ...{ enabled: false, maxConcurrent: 2, maxUnhealthyPercent: 10, unreadySeconds: 31, startSeconds: 61 },
  ...{ silentSeconds: 16, diskPercent: 80, 'budget.evictions': 9, 'budget.periodSeconds': 61 },
  ...{ 'backoff.baseSeconds': 9, 'backoff.maxSeconds': 99 },
};

const LIMITS = {
  ...{ maxIterations: 1_000, inlineIterations: 9, maxBodyBytes: 9_999, maxDocumentBytes: 9_999 },
  ...{ maxHeldBytes: 100_000_000, maxConnections: 9, maxWaitSeconds: 9 },
  ...{ 'rate.windowSeconds': 9, 'rate.perAddress': 9, 'rate.total': 9, allowedClients: ['10.0.0.0/8'] },
};

const OTLP = { 'monitoring.otlp.endpoint': 'http://collector:4318' };

/** Every field that may be changed and changed back. */
export const CHANGES: readonly SpecChange[] = [
  { path: 'version', value: '9.9.9' },
  { path: 'image', value: 'example.org/hashcluster:9' },
  onServers({ path: 'imagePullPolicy', value: 'Always' }),
  onServers({ path: 'imagePullSecrets', value: [{ name: 'registry' }] }),
  behavior('paused', true),
  onServers(behavior('deletionPolicy', 'Delete')),
  ...role('endpoint'),
  ...role('worker'),
  ...['backlog', 'oldestAge'].flatMap((signal) => [
    behavior(`worker.scaling.${signal}.enabled`, false),
    behavior(`worker.scaling.${signal}.seconds`, 42),
  ]),
  ...Object.entries(LIMITS).map(([field, value]) => ({ path: `limits.${field}`, value })),
  { path: 'cache.shared', value: false },
  { path: 'retention.results', value: '7d' },
  { path: 'ingress.enabled', value: false },
  { path: 'ingress.type', value: 'HTTPRoute', also: { 'ingress.parentRefs': [{ name: 'gate' }] } },
  { path: 'ingress.host', value: 'other.example.org' },
  { path: 'ingress.className', value: 'other' },
  { path: 'ingress.path', value: '/hash' },
  { path: 'ingress.annotations', value: { a: 'b' } },
  { path: 'ingress.tls.enabled', value: true },
  { path: 'ingress.tls.secretName', value: 'certificate', also: { 'ingress.tls.enabled': true } },
  behavior('ingress.parentRefs', [{ name: 'gate' }]),
  { path: 'ingress.trustProxyHops', value: 3 },
  onServers({ path: 'mongodb.managed.replicas', value: 5 }),
  ...managed('mongodb'),
  ...managed('kafka'),
  { path: 'mongodb.external.secretName', value: 'mongo-2' },
  { path: 'mongodb.external.ports', value: [27_018] },
  { path: 'kafka.external.brokers', value: ['other:9093'] },
  { path: 'kafka.external.secretName', value: 'kafka-2' },
  { path: 'kafka.external.mechanism', value: 'plain' },
  { path: 'kafka.external.tls.enabled', value: false },
  { path: 'kafka.external.tls.caSecretName', value: 'ca-2' },
  { path: 'kafka.external.replication', value: 2 },
  ...Object.entries(HEALING).map(([field, value]) => behavior(`healing.${field}`, value)),
  onServers({ path: 'networkPolicy.enabled', value: false }),
  { path: 'networkPolicy.clients', value: PEER },
  { path: 'networkPolicy.monitoring', value: PEER },
  onServers({ path: 'networkPolicy.dns', value: PEER }),
  { path: 'networkPolicy.telemetry', value: PEER, also: OTLP },
  { path: 'logging.level', value: 'debug' },
  { path: 'logging.format', value: 'pretty' },
  { path: 'monitoring.otlp.endpoint', value: 'http://collector:4318' },
  { path: 'monitoring.otlp.protocol', value: 'http/json', also: OTLP },
  { path: 'monitoring.otlp.signals', value: ['logs'], also: OTLP },
  { path: 'monitoring.scrape', value: false },
];

/** Fields that go one way only, or not at all; the API server holds them. */
export const ONE_WAY: readonly string[] = [
  ...['auth.enabled', 'backup.enabled', 'mongodb.database', 'kafka.topicPrefix', 'kafka.partitions'],
  ...['mongodb.managed.storage', 'mongodb.managed.storageClassName'],
  ...['kafka.managed.storage', 'kafka.managed.storageClassName', 'kafka.managed.replicas'],
];

/** A spec with a field set, by its path. */
export function withField(spec: unknown, path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  const fields = { ...(spec as Record<string, unknown> | undefined) };
  const inner = rest.length === 0 ? value : withField(fields[first], rest.join('.'), value);
  return { ...fields, [first]: inner };
}

/** The spec that a change begins with. */
export function unchanged({ path, also = {}, base = 'external' }: SpecChange): Record<string, unknown> {
  const fields = Object.entries(also).filter(([field]) => field !== path);
  return fields.reduce<Record<string, unknown>>((spec, [field, is]) => withField(spec, field, is), {
    ...BASES[base],
  });
}

/** The spec that a change leads to. */
export function changed(change: SpecChange): Record<string, unknown> {
  return withField(unchanged(change), change.path, change.value);
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Paths of all fields of a schema that have no fields of their own. */
export function leavesOf({ properties }: Schema, path = ''): string[] {
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([key, child]) =>
    leavesOf(child, path === '' ? key : `${path}.${key}`),
  );
}
