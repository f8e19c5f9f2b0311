import { afterEach, expect, test } from '@jest/globals';
import { CLUSTER_SPEC } from './api/spec.ts';
import type { ClusterStatus } from './api/status.ts';
import type { Fault } from './control/testing/fake-api-server.ts';
import { FakeApiServer } from './control/testing/fake-api-server.ts';
import type { ParsedRequest } from './control/testing/fake-objects.ts';
import { until } from './control/testing/until.ts';
import { Transport } from './control/transport.ts';
import { Measures } from './measures.ts';
import { Caches } from './observe/caches.ts';
import { Operator } from './operator.ts';
import type { KubeObject } from './plan/kube.ts';
import { RecordingLogger } from './runtime/testing/recording-logger.ts';
import { startTelemetry } from './runtime/telemetry.ts';
import { failingRounds } from './testing/failing-rounds.ts';
import { FakeMongo } from './testing/fake-servers.ts';
import { operatorSettings } from './settings.ts';

const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const CLUSTER: KubeObject = {
  ...{ apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster' },
  metadata: { namespace: 'a', name: 'demo' },
  spec: CLUSTER_SPEC.parse({}),
};
const LABELS = {
  'app.kubernetes.io/name': 'hashcluster',
  'app.kubernetes.io/instance': 'demo',
  'app.kubernetes.io/component': 'mongodb',
};
const BUDGETS = '/apis/policy/v1/poddisruptionbudgets';

async function setup(
  fault?: Fault,
  matches?: (request: ParsedRequest) => boolean,
  mongo: FakeMongo = new FakeMongo(),
) {
  const server = await FakeApiServer.start();
  const transport = new Transport({
    config: server.config(),
    perSecond: 5_000,
    burst: 5_000,
    retryBudgetMs: 0,
  });
  const logger = new RecordingLogger();
  const ending = new AbortController();
  const caches = new Caches({
    ...{ transport, namespaces: ['a'] },
    onChange: (key, own) => operator.changed(key, own),
    onTrouble: (cache, phase, error) => logger.info('trouble', { cache, phase, error }),
    onMissed: () => undefined,
  });
  const telemetry = startTelemetry(logger, '1');
  const operator = new Operator({
    ...{ transport, caches, logger, instance: 'test', defaults: operatorSettings({}).defaults },
    term: { signal: ending.signal, check: () => ending.signal.throwIfAborted() },
    ...{ measures: new Measures(telemetry.metrics), mongo },
  });
  stops.push(
    () => server.stop(),
    () => transport.stop(),
    () => telemetry.stop(),
    () => caches.stop(),
    () => operator.stop(),
  );
  server.put(CLUSTER);
  if (fault) server.fail(fault, 10_000, matches);
  caches.start();
  await operator.start();
  const conditions = () => {
    const { conditions: all = [] } = (server.all(CLUSTER)[0]?.['status'] ?? {}) as ClusterStatus;
    return Object.fromEntries(all.map(({ type, status, message }) => [type, { status, message }]));
  };
  const writes = (): number => server.requests.filter(({ method }) => method !== 'GET').length;
  return { server, logger, conditions, writes, operator, ending };
}

function count(server: FakeApiServer, kind: string, apiVersion = 'apps/v1'): number {
  return server.all({ apiVersion, kind }).length;
}

test('a HashCluster gets all that it needs, and then nothing is written any more', async () => {
  const { server, conditions, writes } = await setup();
  await until(() => count(server, 'Deployment') === 2 && conditions()['Ready'] !== undefined);
  expect([count(server, 'StatefulSet'), count(server, 'Secret', 'v1')]).toEqual([2, 4]);
  const rounds = async (): Promise<void> => {
    const before = writes();
    // An unsettled cluster is looked at every two seconds.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    if (writes() !== before) await rounds();
  };
  await rounds();
});

test('an object that is refused keeps nothing else from being made, and the status says what and why', async () => {
  const refused = ({ method, collection }: ParsedRequest) => method === 'PATCH' && collection === BUDGETS;
  const { server, conditions, logger } = await setup({ kind: 'status', status: 422 }, refused);
  await until(() => conditions()['Degraded']?.message.includes('PodDisruptionBudget'));
  expect(conditions()['Degraded']!.status).toBe('True');
  expect([count(server, 'Deployment'), count(server, 'PodDisruptionBudget', 'policy/v1')]).toEqual([2, 0]);
  const logged = logger.records.filter(({ message }) => message === 'An action was refused');
  expect(logged[0]).toMatchObject({
    ...{ level: 'warn', fields: { cluster: 'a/demo' } },
  });
  const objects = logged.map(({ fields }) => fields['object']);
  expect(objects[0]).toMatch(/^PodDisruptionBudget/);
  // Once each, however often it is tried.
  expect(new Set(objects).size).toBe(objects.length);
  server.healed();
});

test('what fails again and again is tried less and less often, and shows in the status', async () => {
  const failing = ({ method, collection }: ParsedRequest) => method === 'PATCH' && collection === BUDGETS;
  const { server, conditions, logger, operator } = await setup({ kind: 'status', status: 500 }, failing);
  await until(() => conditions()['Degraded']?.message.includes('a fault of the test'));
  expect(operator.queue.failing).toBe(1);
  const waits = logger.records.filter(({ message }) => message === 'A HashCluster was not reconciled');
  expect(waits.length).toBeGreaterThanOrEqual(1);
  server.healed();
  server.put({ ...CLUSTER, metadata: { ...server.all(CLUSTER)[0]!.metadata, labels: { touched: 'yes' } } });
  await until(() => count(server, 'Deployment') === 2 && conditions()['Degraded']?.status === 'False');
});

class StuckMongo extends FakeMongo {
  attempts = 0;

  override initiate(): Promise<void> {
    this.attempts++;
    return Promise.reject(new Error('no primary among the members'));
  }
}

test('an action on MongoDB that fails between rounds that wait for it shows in the status', async () => {
  const mongo = new StuckMongo();
  const { server, conditions } = await setup(undefined, undefined, mongo);
  for (const ordinal of [0, 1, 2]) {
    server.put({
      ...{ apiVersion: 'v1', kind: 'Pod', status: { phase: 'Running' } },
      metadata: { namespace: 'a', name: `demo-mongodb-${ordinal}`, labels: LABELS },
      spec: { containers: [{ name: 'mongodb', image: 'mongo' }] },
    });
  }
  const says = (): boolean =>
    conditions()['Degraded']?.message.includes('initiateMongo: no primary') ?? false;
  await until(says);
  const { attempts } = mongo;
  await until(() => mongo.attempts > attempts + 1);
  expect(says()).toBe(true);
}, 30_000);

test('what cannot be read again and again shows in the status', async () => {
  const reads = ({ method, collection }: ParsedRequest) =>
    method === 'GET' && collection.endsWith('/secrets');
  const { server, conditions } = await setup({ kind: 'status', status: 500 }, reads);
  await until(() => conditions()['Degraded']?.message.includes('could not be read'));
  expect(conditions()['Degraded']).toMatchObject({ status: 'True' });
  server.healed();
  server.put({ ...CLUSTER, metadata: { ...server.all(CLUSTER)[0]!.metadata, labels: { touched: 'yes' } } });
  await until(() => count(server, 'Deployment') === 2 && conditions()['Degraded']?.status === 'False');
});

test.each(['writing', 'reading'] as const)(
  'a HashCluster that was ready is not once %s has failed for 30 s',
  async (fails) => {
    const { said } = await failingRounds(fails);
    const [first, last] = [said[0]!, said.at(-1)!];
    expect([first.isReady, last.isReady]).toEqual([true, false]);
    expect(last.at - first.at).toBeLessThanOrEqual(33_000);
  },
);

test('nothing is written once the term is over', async () => {
  const { server, ending, operator, writes } = await setup();
  await until(() => writes() > 3);
  ending.abort(new Error('the lease is lost'));
  const after = writes();
  server.put({ ...CLUSTER, metadata: { namespace: 'a', name: 'late' } });
  await operator.stop();
  // One request may have been on its way.
  expect(writes() - after).toBeLessThanOrEqual(1);
});
