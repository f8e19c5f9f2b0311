import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { IMAGES } from '../lib/cluster.ts';
import { sturdySpec, TestCluster } from '../lib/hash-cluster.ts';
import { throughIngress } from '../lib/ingress.ts';
import { Namespace, type Live } from '../lib/kube.ts';
import { installOperator, OPERATOR_HOME } from '../lib/operator.ts';
import { openFromBash, openFromNode, type Target } from '../lib/probe.ts';
import { run } from '../lib/run.ts';

const cluster = new TestCluster('firewall');
/** A pod that has nothing to do with it, and that no policy holds. */
const STRANGER = new Namespace('e2e-stranger');
const spec = {
  ...sturdySpec(cluster.host),
  kafka: { managed: { replicas: 3, storage: '1Gi' } },
};
const PORTS = [5000, 9090, 27017, 9092, 9093];

/** Everything that may connect, and nothing else; pods of one kind are asked about one another. */
const OPEN: Readonly<Record<string, readonly string[]>> = {
  endpoint: ['mongodb 27017', 'kafka 9092'],
  worker: ['mongodb 27017', 'kafka 9092'],
  mongodb: ['mongodb 27017'],
  kafka: ['kafka 9092', 'kafka 9093'],
  operator: ['endpoint 5000', 'endpoint 9090', 'worker 9090', 'mongodb 27017', 'kafka 9092', 'api 443'],
  stranger: ['api 443'],
};

let outside: Server;
let targets: (Target & { readonly pod: string; readonly what: string })[];
let sources: readonly { readonly kind: string; readonly namespace: Namespace; readonly pod: string }[];

beforeAll(async () => {
  await installOperator();
  await cluster.apply(spec);
  await startStranger();
  await cluster.ready();
  outside = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await look();
}, 700_000);
afterAll(async () => {
  outside.close();
  await STRANGER.beginRemoval();
  await cluster.remove();
}, 700_000);

async function startStranger(): Promise<void> {
  await STRANGER.create();
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const command = ['/nodejs/bin/node', '--eval', 'setInterval(() => {}, 1000)'];
  const container = { name: 'stranger', image: IMAGES.services, command, securityContext };
  const pod = {
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    containers: [container],
  };
  await STRANGER.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stranger' }, spec: pod });
  await STRANGER.wait('pod/stranger', 'condition=Ready', 120);
}

/** Who is there, and where. */
async function look(): Promise<void> {
  const kinds = ['endpoint', 'worker', 'mongodb', 'kafka'] as const;
  const pods = await cluster.namespace.list('pods', `app.kubernetes.io/instance=${cluster.name}`);
  const [operator] = await OPERATOR_HOME.list('pods', 'app.kubernetes.io/name=hashcluster-operator');
  const kindOf = ({ metadata }: Live) => metadata.labels?.['app.kubernetes.io/component'] ?? '';
  sources = [
    ...kinds.flatMap((kind) =>
      pods
        .filter((pod) => kindOf(pod) === kind)
        .map(({ metadata: { name: pod } }) => ({ kind, namespace: cluster.namespace, pod })),
    ),
    { kind: 'operator', namespace: OPERATOR_HOME, pod: operator!.metadata.name },
    { kind: 'stranger', namespace: STRANGER, pod: 'stranger' },
  ];
  const all = [...pods.map((pod) => [kindOf(pod), pod] as const), ['operator', operator!] as const];
  const ofPods = all.flatMap(([kind, { metadata, status }]) => {
    const host = (status as { podIP?: string } | undefined)?.podIP ?? '';
    return PORTS.map((port) => {
      return { name: `${metadata.name}:${port}`, pod: metadata.name, what: `${kind} ${port}`, host, port };
    });
  });
  const gateway = await run('docker', [
    ...['network', 'inspect', 'kind', '--format', '{{range .IPAM.Config}}{{println .Gateway}}{{end}}'],
  ]);
  const host = gateway.split('\n').find((line) => line.includes('.'))!;
  const { port } = outside.address() as AddressInfo;
  const api = {
    name: 'api',
    pod: '',
    what: 'api 443',
    host: 'kubernetes.default.svc.cluster.local',
    port: 443,
  };
  targets = [...ofPods, api, { name: 'outside', pod: '', what: 'outside', host, port }];
}

describe('every pod, every other pod, every port, the API server and the outside', () => {
  test.each(Object.keys(OPEN))(
    'from pods of the kind %s: open is what is declared, and nothing else',
    async (kind) => {
      const isBash = kind === 'mongodb' || kind === 'kafka';
      for (const { namespace, pod } of sources.filter((source) => source.kind === kind)) {
        // A pod reaches itself without any network.
        const others = targets.filter((target) => target.pod !== pod && isAsked(kind, target));
        const found = await (isBash ? openFromBash : openFromNode)(namespace, pod, others);
        const declared = others.filter(({ what }) => OPEN[kind]!.includes(what)).map(({ name }) => name);
        expect({ from: pod, open: found }).toEqual({ from: pod, open: declared.sort() });
      }
    },
    120_000,
  );

  test('MongoDB and Kafka refuse who has no password', async () => {
    const [mongodb] = await cluster.pods('mongodb');
    // As a client without credentials, from a pod that may connect: a worker has the driver.
    const [worker] = await cluster.pods('worker');
    const uri = `mongodb://${mongodb!}.${cluster.name}-mongodb:27017/?directConnection=true`;
    const script = `
      const { MongoClient } = require('/app/node_modules/mongodb');
      const client = new MongoClient(${JSON.stringify(uri)}, { serverSelectionTimeoutMS: 10000 });
      client.db('hashcluster').collection('jobs').findOne()
        .then(() => console.log('let in'), ({ codeName, message }) => console.log(codeName ?? message))
        .finally(() => client.close());`;
    const command = ['exec', worker!, '--', '/nodejs/bin/node', '--eval', script];
    expect(await cluster.namespace.kubectl(command)).toBe('Unauthorized');
  }, 60_000);
});

describe('clients from elsewhere', () => {
  test('are refused, whatever they say of themselves, once only some ranges may come', async () => {
    await cluster.apply({ ...spec, limits: { allowedClients: ['192.0.2.0/24'] } });
    const from = (address: string) =>
      throughIngress({
        ...{ host: cluster.host, path: '/v1/cluster', headers: { 'x-forwarded-for': address } },
      });
    const isRefused = async () => (await from('198.51.100.1')).status === 403;
    await cluster.until('closed to all others', isRefused, 120);
    // The other endpoint may still be one from before.
    await cluster.until('closed to liars', async () => (await from('192.0.2.1')).status === 403, 120);
  }, 300_000);
});

/** Whether a stranger reaches the outside is up to the cluster that the stories are told on. */
function isAsked(kind: string, { what }: { readonly what: string }): boolean {
  return kind !== 'stranger' || what !== 'outside';
}
