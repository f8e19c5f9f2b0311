import type { KubeObject } from '../kube.ts';
import { parseQuantity } from '../quantity.ts';
import { fingerprint } from '../fingerprint.ts';
import { childMeta, type Context } from './context.ts';
import { CONFIG_DIR, fingerprintedScript, startScript } from './kafka-start.ts';
import { childName, credentialsName, KAFKA_USERS, memberHosts, PORTS } from './names.ts';
import { scratch } from './pod.ts';
import { DATA, serverSet } from './server-set.ts';

/** The user `appuser` of the image. */
const USER = 1000;
const MIB = 1024 ** 2;

/** Says on pods which configuration they were started with. */
const CONFIG_HASH = 'hashcluster.io/config';

/** Settings of a broker that is a controller too, without what only the pod knows. Source: Kafka, "KRaft". */
export function kafkaProperties({ cluster, observed }: Context): string {
  const replicas = cluster.spec.kafka.managed!.replicas;
  const { clusterDomain: domain } = observed.defaults;
  const voters = memberHosts(cluster, 'kafka', { replicas, port: PORTS.kafkaController, domain });
  const copies = Math.min(3, replicas);
  const inSync = Math.max(1, copies - 1);
  return [
    'process.roles=broker,controller',
    `controller.quorum.voters=${voters.map((host, id) => `${id}@${host}`).join(',')}`,
    'controller.listener.names=CONTROLLER',
    `listeners=CLIENTS://:${PORTS.kafka},CONTROLLER://:${PORTS.kafkaController}`,
    'listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
    'inter.broker.listener.name=CLIENTS',
    'sasl.enabled.mechanisms=SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512',
    // Controllers cannot know each other by SCRAM: its credentials are in the metadata that they would have to read first.
    // Source: KIP-900, by which only brokers get SCRAM. It is PLAIN, in clear on the network of these pods, until there is TLS.
    'sasl.mechanism.controller.protocol=PLAIN',
    'listener.name.controller.sasl.enabled.mechanisms=PLAIN',
    'log.dirs=/var/lib/kafka/data/logs',
    // Who needs a topic makes it, with the settings that it needs.
    'auto.create.topics.enable=false',
    `default.replication.factor=${copies}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${copies}`,
    `transaction.state.log.replication.factor=${copies}`,
    `transaction.state.log.min.isr=${inSync}`,
    `share.coordinator.state.topic.replication.factor=${copies}`,
    `share.coordinator.state.topic.min.isr=${inSync}`,
    // What is on Kafka is news: it is not worth a full disk.
    'log.retention.hours=1',
    'log.segment.bytes=67108864',
    'group.initial.rebalance.delay.ms=500',
    '',
  ].join('\n');
}

/** Logs go to the console alone: files would fill what is temporary. */
const LOGGING = `Configuration:
  status: warn
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: '[%d] %p %m (%c)%n'
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: STDOUT
`;

function configData(context: Context): Record<string, string> {
  return {
    'server.properties': kafkaProperties(context),
    'log4j2.yaml': LOGGING,
    'start.sh': startScript(context.observed.defaults.clusterDomain),
  };
}

/** Changes when brokers must be restarted. */
function configHash(context: Context): string {
  const script = fingerprintedScript(context.observed.defaults.clusterDomain);
  return fingerprint([kafkaProperties(context), LOGGING, script].join('\n'));
}

/** Configuration of the brokers. */
export function kafkaConfigMap(context: Context): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: childMeta(context, 'kafka'),
    data: configData(context),
  };
}

function kafkaEnv(context: Context): object[] {
  const secret = credentialsName(context.cluster, 'kafka');
  const fromSecret = (name: string, key: string) => ({
    ...{ name, valueFrom: { secretKeyRef: { name: secret, key } } },
  });
  const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const { limits, requests } = context.cluster.spec.kafka.managed!.resources;
  const memory = parseQuantity(limits['memory'] ?? requests['memory']) ?? 1024 * MIB;
  const heapMib = Math.max(256, Math.floor(memory / MIB / 2));
  return [
    fromField('POD_NAME', 'metadata.name'),
    fromField('POD_NAMESPACE', 'metadata.namespace'),
    { name: 'SERVICE', value: childName(context.cluster, 'kafka') },
    fromSecret('CLUSTER_ID', 'cluster-id'),
    ...KAFKA_USERS.map((user) => fromSecret(`${user.toUpperCase()}_PASSWORD`, `${user}-password`)),
    { name: 'KAFKA_HEAP_OPTS', value: `-Xms${Math.min(256, heapMib)}m -Xmx${heapMib}m` },
    { name: 'KAFKA_LOG4J_OPTS', value: `-Dlog4j2.configurationFile=${CONFIG_DIR}/log4j2.yaml` },
    // The log of the garbage collector would be a file.
    { name: 'KAFKA_GC_LOG_OPTS', value: ' ' },
    { name: 'LOG_DIR', value: '/tmp/logs' },
  ];
}

const TCP = { tcpSocket: { port: 'kafka' } };
const PROBES = {
  startupProbe: { ...TCP, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 300 },
  readinessProbe: { ...TCP, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 },
  livenessProbe: { ...TCP, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 6 },
};

/** The managed brokers. */
export function kafkaSet(context: Context): KubeObject {
  const { replicas } = context.cluster.spec.kafka.managed!;
  return serverSet(context, 'kafka', {
    replicas,
    parts: {
      command: ['bash', `${CONFIG_DIR}/start.sh`],
      env: kafkaEnv(context),
      ports: [
        { name: 'kafka', containerPort: PORTS.kafka },
        { name: 'controller', containerPort: PORTS.kafkaController },
      ],
      probes: PROBES,
      user: USER,
      graceSeconds: 90,
      annotations: { [CONFIG_HASH]: configHash(context) },
      volumes: [
        scratch('tmp', '256Mi'),
        { name: 'run-kafka', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'config', configMap: { name: childName(context.cluster, 'kafka') } },
      ],
      mounts: [
        { name: DATA, mountPath: '/var/lib/kafka/data' },
        { name: 'tmp', mountPath: '/tmp' },
        { name: 'run-kafka', mountPath: '/run/kafka' },
        { name: 'config', mountPath: CONFIG_DIR, readOnly: true },
      ],
    },
  });
}
