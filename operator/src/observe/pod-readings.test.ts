import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeApiServer } from '../control/testing/fake-api-server.ts';
import { until } from '../control/testing/until.ts';
import { Transport } from '../control/transport.ts';
import type { KubeObject } from '../plan/kube.ts';
import { ago, pod, pods } from '../plan/testing/scene.ts';
import { systemClock } from '../runtime/clock.ts';
import { EndpointClient } from './endpoint-client.ts';
import { PodReadings } from './pod-readings.ts';

const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function setup() {
  const server = await FakeApiServer.start();
  const transport = new Transport({ config: server.config(), retryBudgetMs: 0 });
  const client = new EndpointClient();
  stops.push(
    () => server.stop(),
    () => transport.stop(),
    () => client.stop(),
  );
  const book = (adminPort: number) =>
    new PodReadings({
      transport,
      client,
      clock: systemClock,
      onNews: () => undefined,
      adminPort,
      ask: (work) => work(),
    });
  return { server, book };
}

/** An admin port that answers every path alike. */
async function adminPort(status: number, body: unknown): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const starting = (name: string, more: object = {}) =>
  pod(name, { ready: false, started: 5, status: { phase: 'Running', podIP: '127.0.0.1' }, ...more });

describe('probes of pods that are not ready', () => {
  const checks = { process: 'it is starting', endpoint: 'ok', store: 'MongoDB: Authentication failed' };

  test('say which checks fail, and why', async () => {
    const { book } = await setup();
    const readings = book(await adminPort(503, { status: 'trouble', checks }));
    const seen = [starting('endpoint-0', { component: 'endpoint' }), starting('worker-0'), ...pods(2)];
    await until(() => readings.probes(seen).length === 2);
    const { endpoint: _ok, ...failing } = checks;
    expect(readings.probes(seen)).toMatchObject([
      { component: 'endpoint', pod: 'endpoint-0', checks: { value: failing } },
      { component: 'worker', pod: 'worker-0', checks: { value: failing } },
    ]);
    expect(readings.probes(pods(2))).toEqual([]);
  });

  test('are errors where nobody answers so', async () => {
    const { book } = await setup();
    const readings = book(await adminPort(404, { title: 'Not found' }));
    await until(() => readings.probes([starting('worker-0')]).length === 1);
    expect(readings.probes([starting('worker-0')])[0]!.checks).toMatchObject({
      error: expect.stringContaining('404'),
    });
  });
});

describe('pods that a StatefulSet may not create', () => {
  const set: KubeObject = {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { replicas: 3 } },
    metadata: {
      name: 'hc-mongodb',
      namespace: 'ns',
      uid: 'uid-set',
      labels: { 'app.kubernetes.io/component': 'mongodb' },
    },
  };
  const event = (name: string, seconds: number, message: string, more: object = {}): KubeObject => ({
    ...{
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'ns' },
      reason: 'FailedCreate',
      message,
    },
    involvedObject: { kind: 'StatefulSet', name: 'hc-mongodb', uid: 'uid-set' },
    lastTimestamp: ago(seconds),
    ...more,
  });

  test('are told with the reason of the newest Event', async () => {
    const { server, book } = await setup();
    server.put(event('a', 60, 'an older reason'));
    server.put(
      event('b', 5, 'create Pod hc-mongodb-0 failed error: maximum cpu usage per Container is 100m'),
    );
    server.put(
      event('c', 1, 'of another', { involvedObject: { kind: 'StatefulSet', name: 'x', uid: 'uid-x' } }),
    );
    const readings = book(1);
    await until(() => readings.creationFailures([set], []).length === 1);
    expect(readings.creationFailures([set], [])).toMatchObject([
      { component: 'mongodb', failure: { value: expect.stringMatching(/maximum cpu usage/) } },
    ]);
    const request = server.requests.find(({ path }) => path === '/api/v1/namespaces/ns/events');
    expect(request?.query.get('fieldSelector')).toBe('involvedObject.uid=uid-set,reason=FailedCreate');
  });

  test('are not asked for while all pods exist', async () => {
    const { server, book } = await setup();
    expect(book(1).creationFailures([set], pods(3, { component: 'mongodb' }))).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  test('are no failure once a pod was created after the Event', async () => {
    const { server, book } = await setup();
    server.put(event('a', 60, 'quota exceeded'));
    const readings = book(1);
    const newer = [pod('hc-mongodb-0', { component: 'mongodb', started: 30 })];
    await until(() => readings.creationFailures([set], newer).length === 1);
    expect(readings.creationFailures([set], newer)).toMatchObject([{ failure: { value: null } }]);
  });
});
