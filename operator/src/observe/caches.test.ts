import { afterEach, describe, expect, test } from '@jest/globals';
import { FakeApiServer } from '../control/testing/fake-api-server.ts';
import { until } from '../control/testing/until.ts';
import { Transport } from '../control/transport.ts';
import type { KubeObject, Pod } from '../plan/kube.ts';
import { Caches, HTTP_ROUTE } from './caches.ts';
import { keepPod } from './keep.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function cluster(name: string, namespace = 'a', more: Partial<KubeObject> = {}): KubeObject {
  return {
    ...{ apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster', metadata: { namespace, name } },
    ...more,
  };
}

function child(kind: string, name: string, instance: string, namespace = 'a'): KubeObject {
  const labels = {
    'app.kubernetes.io/name': 'hashcluster',
    'app.kubernetes.io/managed-by': 'hashcluster-operator',
    'app.kubernetes.io/instance': instance,
  };
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  return { apiVersion, kind, metadata: { namespace, name, labels }, spec: { containers: [] } };
}

async function setup(namespaces: readonly string[] | null = null) {
  const server = await FakeApiServer.start();
  const transport = new Transport({ config: server.config(), perSecond: 1_000, burst: 1_000 });
  const changes: [string, boolean][] = [];
  const caches = new Caches({
    ...{ transport, namespaces, reflector: { backoff: { baseMs: 5, capMs: 20 } } },
    onChange: (key, own) => changes.push([key, own]),
    onTrouble: () => undefined,
    onMissed: () => undefined,
  });
  stops.push(
    () => server.stop(),
    () => transport.stop(),
    () => caches.stop(),
  );
  const found = (name: string, namespace = 'a') => caches.cluster(namespace, name)!;
  return { server, caches, changes, found };
}

describe('caches', () => {
  test('know HashClusters and what belongs to each of them, by namespace', async () => {
    const { server, caches, found } = await setup();
    server.put(cluster('one'));
    server.put(cluster('one', 'b'));
    server.put(child('Deployment', 'one-worker', 'one'));
    server.put(child('Deployment', 'one-worker', 'one', 'b'));
    server.put(child('Pod', 'one-worker-x', 'one'));
    server.put({ ...child('Pod', 'stranger', 'one'), metadata: { namespace: 'a', name: 'stranger' } });
    caches.start();
    await caches.synced();
    expect(caches.clusters()).toHaveLength(2);
    expect(caches.children(found('one')).map(({ metadata }) => metadata)).toMatchObject([
      { namespace: 'a', name: 'one-worker' },
    ]);
    expect(caches.pods(found('one')).map(({ metadata }) => metadata.name)).toEqual(['one-worker-x']);
    expect(caches.pods(found('one', 'b'))).toEqual([]);
    expect(caches.podsSilentMs('a')).toBeGreaterThanOrEqual(0);
    expect(caches.facts.every(({ hasSynced }) => hasSynced)).toBe(true);
    expect(server.requests.some(({ path }) => path.includes('secrets'))).toBe(false);
  });

  test('look at the namespaces that they are told, and at no other', async () => {
    const { server, caches } = await setup(['a', 'b']);
    server.put(cluster('one', 'a'));
    server.put(cluster('two', 'b'));
    server.put(cluster('three', 'c'));
    caches.start();
    await caches.synced();
    expect(caches.clusters().map(({ metadata }) => metadata.name)).toEqual(['one', 'two']);
    expect(caches.cluster('c', 'three')).toBeNull();
    expect(server.requests.every(({ namespace }) => namespace === 'a' || namespace === 'b')).toBe(true);
    expect(caches.podsSilentMs('c')).toBe(Infinity);
  });

  test('tell whose changes they are, and nothing of what the operator itself says in the status', async () => {
    const { server, caches, changes } = await setup();
    server.put(cluster('one'));
    caches.start();
    await caches.synced();
    await until(() => server.watches === caches.facts.length);
    changes.length = 0;
    server.put(cluster('one', 'a', { status: { url: 'x' } }));
    server.put(child('Pod', 'p', 'one'));
    server.put(cluster('one', 'a', { status: { url: 'x' }, spec: { paused: true } }));
    server.remove(child('Pod', 'p', 'one'));
    server.remove(cluster('one'));
    await until(() => changes.length === 4);
    expect(changes.toSorted()).toEqual([
      ['a/one', false],
      ['a/one', false],
      ['a/one', true],
      ['a/one', true],
    ]);
  });

  test('take on a kind that the API server has only sometimes', async () => {
    const { server, caches, found } = await setup();
    server.put(cluster('one'));
    caches.start();
    await caches.synced();
    const route = { ...child('Pod', 'one-endpoint', 'one'), ...HTTP_ROUTE };
    server.put(route);
    expect(caches.alsoWatch(HTTP_ROUTE)).toBe(false);
    await until(() => caches.alsoWatch(HTTP_ROUTE));
    expect(caches.children(found('one')).map(({ kind }) => kind)).toEqual(['HTTPRoute']);
    expect(caches.facts.filter(({ isOptional }) => isOptional)).toHaveLength(1);
  });
});

test('a pod is kept without what nobody reads', () => {
  const pod: Pod = {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: 'p', namespace: 'a', uid: 'u', labels: { x: 'y' } },
      annotations: { 'controller.kubernetes.io/pod-deletion-cost': '1', 'cni.io/network': 'large' },
    },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'worker', image: 'i', env: ['large'] } as never],
      volumes: [],
    } as never,
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [{ type: 'Ready', status: 'True' }],
      qosClass: 'x',
    } as never,
  };
  expect(JSON.parse(JSON.stringify(keepPod(pod)))).toEqual({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: 'p', namespace: 'a', uid: 'u', labels: { x: 'y' } },
      annotations: { 'controller.kubernetes.io/pod-deletion-cost': '1' },
    },
    spec: { nodeName: 'n', containers: [{ name: 'worker', image: 'i' }] },
    status: { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
  });
});
