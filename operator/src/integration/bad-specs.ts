/** A spec that must be refused, and what the refusal must say. */
export interface BadSpec {
  readonly says: string;
  readonly spec: unknown;
  readonly because: RegExp;
}

const worker = (says: string, spec: unknown, because: RegExp): BadSpec => ({
  says,
  spec: { worker: spec },
  because,
});
const scaling = (says: string, spec: unknown, because: RegExp) => worker(says, { scaling: spec }, because);
const healing = (says: string, spec: unknown, because: RegExp): BadSpec => ({
  says,
  spec: { healing: spec },
  because,
});
const mongodb = (says: string, spec: unknown, because: RegExp): BadSpec => ({
  says,
  spec: { mongodb: spec },
  because,
});
const kafka = (says: string, spec: unknown, because: RegExp): BadSpec => ({
  says,
  spec: { kafka: spec },
  because,
});
const limits = (says: string, spec: unknown, because: RegExp): BadSpec => ({
  says,
  spec: { limits: spec },
  because,
});
const ingress = (says: string, spec: unknown, because: RegExp): BadSpec => ({
  says,
  spec: { ingress: spec },
  because,
});

const policies = (policy: unknown) => ({ behavior: { scaleDown: { policies: [policy] } } });
const env = (...variables: unknown[]) => ({ env: variables });

const OUT_OF_RANGE: readonly BadSpec[] = [
  worker(
    'no worker at most',
    { replicas: { min: 0, max: 0 } },
    /worker\.replicas\.max.*greater than or equal to 1/,
  ),
  worker(
    'too many workers',
    { replicas: { max: 1_001 } },
    /worker\.replicas\.max.*less than or equal to 1000/,
  ),
  worker('a negative number', { replicas: { min: -1 } }, /worker\.replicas\.min/),
  worker('half a worker', { replicas: { min: 1.5 } }, /worker\.replicas\.min.*must be of type integer/),
  worker('a number in words', { replicas: { min: 'two' } }, /worker\.replicas\.min.*must be of type integer/),
  worker(
    'too short a grace period',
    { terminationGracePeriodSeconds: 5 },
    /terminationGracePeriodSeconds.*30/,
  ),
  scaling('a target of 0 %', { cpu: { utilization: 0 } }, /cpu\.utilization/),
  scaling('a target of 101 %', { cpu: { utilization: 101 } }, /cpu\.utilization/),
  scaling('a full disk as a target', { disk: { utilization: 200 } }, /disk\.utilization/),
  scaling('no seconds of backlog', { backlog: { seconds: 0 } }, /backlog\.seconds/),
  scaling('more than a day of age', { oldestAge: { seconds: 86_401 } }, /oldestAge\.seconds/),
  scaling('a tolerance below nothing', { tolerance: -0.1 }, /tolerance/),
  scaling('a tolerance of more than all', { tolerance: 1.1 }, /tolerance/),
  scaling('another pause', { paused: 'Sometimes' }, /paused.*supported values.*None/),
  scaling(
    'a window of more than an hour',
    { behavior: { scaleUp: { stabilizationWindowSeconds: 3_601 } } },
    /stabilizationWindowSeconds/,
  ),
  scaling(
    'another selection',
    { behavior: { scaleUp: { selectPolicy: 'Random' } } },
    /selectPolicy.*supported values/,
  ),
  scaling('no policy', { behavior: { scaleDown: { policies: [] } } }, /policies.*at least 1/),
  scaling(
    'a policy of another type',
    policies({ type: 'Nodes', value: 1, periodSeconds: 60 }),
    /type.*supported values/,
  ),
  scaling('a policy without a value', policies({ type: 'Pods', periodSeconds: 60 }), /value.*Required/),
  scaling('a policy without a period', policies({ type: 'Pods', value: 1 }), /periodSeconds.*Required/),
  scaling('a policy of no pods', policies({ type: 'Pods', value: 0, periodSeconds: 60 }), /value/),
  scaling(
    'a policy of more than half an hour',
    policies({ type: 'Pods', value: 1, periodSeconds: 1_801 }),
    /periodSeconds/,
  ),
  healing('no pod at a time', { maxConcurrent: 0 }, /maxConcurrent/),
  healing('more ill pods than there are', { maxUnhealthyPercent: 101 }, /maxUnhealthyPercent/),
  healing('no patience', { unreadySeconds: 1 }, /unreadySeconds/),
  healing('an empty disk as a full one', { diskPercent: 10 }, /diskPercent/),
  healing('a budget of a moment', { budget: { periodSeconds: 1 } }, /periodSeconds/),
  limits('no iterations', { maxIterations: 0 }, /maxIterations/),
  limits('a body of nothing', { maxBodyBytes: 0 }, /maxBodyBytes/),
  limits('no connections', { maxConnections: 0 }, /maxConnections/),
  limits('a range that is none', { allowedClients: ['10.0.0.0/33'] }, /allowedClients must be ranges/),
  limits('an address that is none', { allowedClients: ['everybody'] }, /allowedClients/),
  limits('a rate of nothing', { rate: { perAddress: 0 } }, /perAddress/),
  mongodb('nine members', { managed: { replicas: 9 } }, /replicas.*less than or equal to 7/),
  mongodb('no member', { managed: { replicas: 0 } }, /replicas/),
  mongodb('a volume of a bare number', { managed: { storage: 10 } }, /storage.*must be of type string/),
  mongodb('a volume of nothing', { managed: { storage: '0Gi' } }, /storage/),
  mongodb('a database with a slash', { database: 'a/b' }, /database/),
  kafka('no partition', { partitions: 0 }, /partitions/),
  kafka('a prefix with a space', { topicPrefix: 'a b' }, /topicPrefix/),
  {
    says: 'another policy for deleting',
    spec: { deletionPolicy: 'Keep' },
    because: /deletionPolicy.*supported values/,
  },
  {
    says: 'another policy for pulling',
    spec: { imagePullPolicy: 'Maybe' },
    because: /imagePullPolicy.*supported values/,
  },
  { says: 'a version with a space', spec: { version: '1 2' }, because: /version/ },
  { says: 'a time without a unit', spec: { retention: { results: '30' } }, because: /results/ },
  {
    says: 'another level of logging',
    spec: { logging: { level: 'loud' } },
    because: /level.*supported values/,
  },
  {
    says: 'a collector without a protocol',
    spec: { monitoring: { otlp: { endpoint: 'collector:4318' } } },
    because: /endpoint/,
  },
  ingress('a host with a space', { host: 'a b' }, /host/),
  ingress('a path without a slash', { path: 'hash' }, /path/),
  ingress('another type', { type: 'Service' }, /type.*supported values/),
  worker('an amount that is none', { resources: { requests: { cpu: 'much' } } }, /cpu/),
];

const CONTRADICTIONS: readonly BadSpec[] = [
  worker('fewer at most than at least', { replicas: { min: 5, max: 4 } }, /min must not be larger than max/),
  worker(
    'fewer at most than at least by default',
    { replicas: { max: 1 } },
    /min must not be larger than max/,
  ),
  {
    says: 'a version and an image',
    spec: { version: '1', image: 'a/b:2' },
    because: /only one of version and image/,
  },
  mongodb(
    'servers of its own and of others',
    { managed: {}, external: { secretName: 'a' } },
    /exactly one of managed and external/,
  ),
  mongodb('no servers', {}, /exactly one of managed and external/),
  kafka(
    'servers of its own and of others',
    { managed: {}, external: { brokers: ['a:1'] } },
    /exactly one of managed and external/,
  ),
  kafka('no servers', {}, /exactly one of managed and external/),
  mongodb('an even number of members', { managed: { replicas: 2 } }, /replicas must be odd/),
  kafka('an even number of brokers', { managed: { replicas: 4 } }, /replicas must be odd/),
  mongodb(
    'less room at most than at first',
    { managed: { storage: '2Gi', maxStorage: '1Gi' } },
    /maxStorage must not be smaller/,
  ),
  limits(
    'a document larger than all documents',
    { maxHeldBytes: 1, maxDocumentBytes: 2 },
    /maxHeldBytes must be at least/,
  ),
  ingress('TLS without a host', { enabled: true, tls: { enabled: true } }, /TLS needs a host/),
  ingress('a route without a gateway', { enabled: true, type: 'HTTPRoute' }, /HTTPRoute needs parentRefs/),
  healing(
    'a delay that shrinks',
    { backoff: { baseSeconds: 60, maxSeconds: 30 } },
    /baseSeconds must not be larger/,
  ),
  worker(
    'a variable with two values',
    env({ name: 'A', value: 'b', valueFrom: {} }),
    /exactly one of value and valueFrom/,
  ),
  worker('a variable without a value', env({ name: 'A' }), /exactly one of value and valueFrom/),
  worker('a variable of the operator', env({ name: 'MONGODB_URI', value: 'x' }), /the operator sets itself/),
  ...['NODE_OPTIONS', 'NODE_PATH', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'OPENSSL_CONF'].map((name) =>
    worker(`the variable ${name}`, env({ name, value: 'x' }), /makes the process load code/),
  ),
  ...[
    'nginx.ingress.kubernetes.io/server-snippet',
    'nginx.org/location-snippets',
    'haproxy-ingress.github.io/config-backend',
  ].map((name) =>
    ingress(
      `the annotation ${name}`,
      { annotations: { [name]: 'x' } },
      /configuration of the ingress controller/,
    ),
  ),
  ...['system-node-critical', 'system-cluster-critical'].map((priorityClassName) =>
    worker(
      `the priority ${priorityClassName}`,
      { placement: { priorityClassName } },
      /priority class of the system/,
    ),
  ),
  mongodb(
    'a priority of the system for a server',
    { managed: { placement: { priorityClassName: 'system-node-critical' } } },
    /priority class of the system/,
  ),
  worker('a variable twice', env({ name: 'A', value: '1' }, { name: 'A', value: '2' }), /Duplicate value/),
  {
    says: 'keys, which are not there yet',
    spec: { auth: { enabled: true } },
    because: /auth is not there yet/,
  },
  {
    says: 'backups, which are not there yet',
    spec: { backup: { enabled: true } },
    because: /backup is not there yet/,
  },
];

const UNKNOWN: readonly BadSpec[] = [
  { says: 'a part that does not exist', spec: { gateway: {} }, because: /unknown field "spec\.gateway"/ },
  worker('a field with another case', { Replicas: {} }, /unknown field "spec\.worker\.Replicas"/),
  worker('replicas as a number', { replicas: 3 }, /worker\.replicas.*must be of type object/),
  scaling(
    'a signal that does not exist',
    { memory: { utilization: 50 } },
    /unknown field "spec\.worker\.scaling\.memory"/,
  ),
  {
    says: 'work that waits for endpoints',
    spec: { endpoint: { scaling: { backlog: { seconds: 20 } } } },
    because: /unknown field "spec\.endpoint\.scaling\.backlog"/,
  },
  mongodb(
    'a field of another server',
    { managed: { partitions: 3 } },
    /unknown field "spec\.mongodb\.managed\.partitions"/,
  ),
  kafka('an address without a port', { external: { brokers: ['kafka'] } }, /brokers/),
  kafka('no addresses', { external: {} }, /brokers.*Required/),
  mongodb('no Secret', { external: {} }, /secretName.*Required/),
  { says: 'a spec that is a list', spec: [], because: /spec.*must be of type object/ },
  {
    says: 'a part that is null',
    spec: { worker: { replicas: { min: null, max: 'x' } } },
    because: /replicas/,
  },
];

/** Specs that must be refused when a cluster is made. */
export const BAD_SPECS: readonly BadSpec[] = [...OUT_OF_RANGE, ...CONTRADICTIONS, ...UNKNOWN];

/** A change that must be refused. */
export interface BadChange {
  readonly says: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly because: RegExp;
}

const OTHERS = { mongodb: { external: { secretName: 'mongo' } } };

export const BAD_CHANGES: readonly BadChange[] = [
  {
    says: 'a smaller volume',
    from: { mongodb: { managed: { storage: '2Gi' } } },
    to: { mongodb: { managed: { storage: '1Gi' } } },
    because: /storage cannot shrink/,
  },
  {
    says: 'a volume smaller than the default one',
    from: {},
    to: { mongodb: { managed: { storage: '9Gi' } } },
    because: /storage cannot shrink/,
  },
  { says: 'servers of others', from: {}, to: OTHERS, because: /cannot be exchanged/ },
  { says: 'servers of its own', from: OTHERS, to: {}, because: /cannot be exchanged/ },
  {
    says: 'another class of volumes',
    from: {},
    to: { kafka: { managed: { storageClassName: 'fast' } } },
    because: /storageClassName cannot be changed/,
  },
  {
    says: 'another database',
    from: {},
    to: { mongodb: { database: 'other', managed: {} } },
    because: /database cannot be changed/,
  },
  {
    says: 'another prefix',
    from: {},
    to: { kafka: { topicPrefix: 'other.', managed: {} } },
    because: /topicPrefix cannot be changed/,
  },
  {
    says: 'fewer partitions',
    from: {},
    to: { kafka: { partitions: 4, managed: {} } },
    because: /partitions cannot be fewer/,
  },
  {
    says: 'another number of brokers',
    from: {},
    to: { kafka: { managed: { replicas: 1 } } },
    because: /number of Kafka brokers cannot be changed/,
  },
];
