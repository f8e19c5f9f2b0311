import { afterEach, describe, expect, test } from '@jest/globals';
import type { HashCluster } from '../api/hash-cluster.ts';
import { EventRecorder } from '../control/events.ts';
import { type Fault, FakeApiServer } from '../control/testing/fake-api-server.ts';
import type { ParsedRequest } from '../control/testing/fake-objects.ts';
import { Transport } from '../control/transport.ts';
import type { Action } from '../plan/action.ts';
import { type KubeObject, refOf } from '../plan/kube.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import { KafkaServers } from '../servers/kafka.ts';
import { MongoServers } from '../servers/mongodb.ts';
import { Applier } from './applier.ts';
import { Writer } from './writer.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const POD: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'w-1' } };
const DEPLOYMENT: KubeObject = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'a', name: 'demo-worker' } },
  spec: { paused: false },
};
const SECRET: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'a', name: 'demo-keys' },
};
const WHY = 'a test says so';

function owner({
  apiVersion,
  kind,
  metadata: { name, uid = '' },
}: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>) {
  return { apiVersion, kind, name, uid, controller: true };
}

async function setup(check: () => void = () => undefined) {
  const server = await FakeApiServer.start();
  const transport = new Transport({ config: server.config(), retryBudgetMs: 1_000, random: () => 0 });
  const logger = new RecordingLogger();
  const events = new EventRecorder({
    ...{ transport, controller: 'c', instance: 'i' },
    onTrouble: (what) => logger.error('event', what),
  });
  const writes: string[] = [];
  const writer = new Writer({
    ...{ transport, check, signal: new AbortController().signal },
    onWrite: ({ method, path }) => writes.push(`${method} ${path}`),
  });
  const readSecret = (_namespace: string, name: string) =>
    Promise.reject(new Error(`there is no Secret ${name}`));
  const applier = new Applier({
    writer,
    events,
    mongo: new MongoServers(),
    kafka: new KafkaServers(),
    readSecret,
    logger,
  });
  stops.push(
    () => server.stop(),
    () => transport.stop(),
    () => events.stop(),
  );
  const stored = server.put({
    ...{ apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster' },
    metadata: { namespace: 'a', name: 'demo', finalizers: ['other.io/x'] },
    spec: {},
  });
  const cluster = stored as unknown as HashCluster;
  const run = (...actions: Action[]) => applier.carryOut(cluster, actions);
  const last = (): ParsedRequest => server.requests.at(-1)!;
  const live = (object: KubeObject): KubeObject | undefined => server.all(object)[0];
  return { server, cluster, run, last, live, logger, events, writes };
}

describe('an action', () => {
  test('apply: makes the object, by force, in the name of the operator', async () => {
    const { run, live, server, last } = await setup();
    server.fail({ kind: 'lost' }, 1);
    await run({ kind: 'apply', object: DEPLOYMENT, why: WHY });
    expect(live(DEPLOYMENT)).toMatchObject(DEPLOYMENT);
    expect(last().query.toString()).toBe('fieldManager=hashcluster-operator&force=true');
    expect(server.requests.at(-1)!.contentType).toBe('application/apply-patch+yaml');
  });

  test('scale: sets replicas only, in the name of the scaler', async () => {
    const { run, live, server, last } = await setup();
    const ref = refOf(server.put(DEPLOYMENT));
    await run({ kind: 'scale', ref, replicas: 7, why: WHY });
    expect(live(DEPLOYMENT)!['spec']).toEqual({ paused: false, replicas: 7 });
    expect(last()).toMatchObject({ subresource: 'scale', body: { kind: 'Scale', spec: { replicas: 7 } } });
    expect(last().query.get('fieldManager')).toBe('hashcluster-scaler');
  });

  test('delete: only the object with that uid, and it may be gone', async () => {
    const { run, live, server } = await setup();
    const old = refOf(server.put(POD));
    server.remove(POD);
    expect(await run({ kind: 'delete', ref: old, why: WHY })).toMatchObject({ done: [{}], failure: null });
    const now = refOf(server.put(POD));
    expect(await run({ kind: 'delete', ref: old, why: WHY })).toMatchObject({ done: [{}], failure: null });
    expect(live(POD)).toBeDefined();
    await run({ kind: 'delete', ref: now, why: WHY });
    expect(live(POD)).toBeUndefined();
  });

  test('annotate: adds and takes away, and minds no pod that has gone', async () => {
    const { run, live, server } = await setup();
    const { metadata } = POD;
    const ref = refOf(
      server.put({ ...POD, metadata: { ...metadata, annotations: { old: '1', stays: '2' } } }),
    );
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '-5', old: null };
    await run({ kind: 'annotate', ref, annotations, why: WHY });
    expect(live(POD)!.metadata.annotations).toEqual({
      'controller.kubernetes.io/pod-deletion-cost': '-5',
      stays: '2',
    });
    server.remove(POD);
    expect(await run({ kind: 'annotate', ref, annotations, why: WHY })).toMatchObject({ failure: null });
  });

  test('evict: asks for the pod as it is now first, and then the eviction API', async () => {
    const { run, live, server, writes, cluster } = await setup();
    const set = server.put({
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
      metadata: { namespace: 'a', name: 'demo-mongodb', ownerReferences: [owner(cluster)] },
    });
    const old = refOf(server.put(POD));
    server.remove(POD);
    await run({ kind: 'evict', ref: old, why: WHY });
    const next = server.put(POD);
    await run({ kind: 'evict', ref: old, why: WHY });
    server.put({ ...next, metadata: { ...next.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    await run({ kind: 'evict', ref: refOf(next), why: WHY });
    expect([writes, live(POD) === undefined]).toEqual([[], false]);
    server.remove(POD);
    const ours = { ...POD, metadata: { ...POD.metadata, ownerReferences: [owner(set)] } };
    await run({ kind: 'evict', ref: refOf(server.put(ours)), why: WHY });
    expect(writes).toEqual(['POST /api/v1/namespaces/a/pods/w-1/eviction']);
    expect(live(POD)).toBeUndefined();
  });

  test('createSecret: once, at random, and never shown', async () => {
    const { run, live, logger } = await setup();
    const keys = [
      { name: 'keyfile', bytes: 378, form: 'base64' },
      { name: 'cluster-id', bytes: 16, form: 'uuid' },
    ] as const;
    await run({ kind: 'createSecret', object: SECRET, keys, why: WHY });
    const { data } = live(SECRET) as KubeObject & { data: Record<string, string> };
    const text = (key: string): string => Buffer.from(data[key]!, 'base64').toString();
    expect(text('keyfile')).toMatch(/^[A-Za-z0-9+/]{504}$/);
    expect(text('cluster-id')).toMatch(/^[\w-]{22}$/);
    expect(await run({ kind: 'createSecret', object: SECRET, keys, why: WHY })).toMatchObject({
      failure: null,
    });
    expect(live(SECRET)!['data']).toEqual(data);
    expect(JSON.stringify(logger.records)).not.toContain(text('cluster-id'));
  });

  test('expandVolume, finalizer, status and event reach the API server', async () => {
    const { run, live, server, cluster, events } = await setup();
    const claim: KubeObject = { ...POD, kind: 'PersistentVolumeClaim', spec: { volumeName: 'v' } };
    await run(
      { kind: 'finalizer', change: 'add', why: WHY },
      { kind: 'expandVolume', ref: refOf(server.put(claim)), storage: '20Gi', why: WHY },
      { kind: 'status', status: { url: 'http://demo' }, why: WHY },
      { kind: 'event', type: 'Normal', reason: 'ScaledUp', message: 'from 2 to 3' },
    );
    await events.stop();
    expect(live(claim)!['spec']).toEqual({
      ...{ volumeName: 'v', resources: { requests: { storage: '20Gi' } } },
    });
    expect(live(cluster as unknown as KubeObject)).toMatchObject({
      metadata: { finalizers: ['other.io/x', 'hashcluster.io/drain'] },
      status: { url: 'http://demo' },
    });
    expect(server.all({ apiVersion: 'events.k8s.io/v1', kind: 'Event' })[0]).toMatchObject({
      ...{ reason: 'ScaledUp', note: 'from 2 to 3', regarding: { kind: 'HashCluster', name: 'demo' } },
    });
  });

  test('finalizer: is taken away without touching those of others', async () => {
    const { run, live, server, cluster } = await setup();
    server.put({
      ...(cluster as unknown as KubeObject),
      metadata: { namespace: 'a', name: 'demo', finalizers: ['hashcluster.io/drain', 'other.io/x'] },
    });
    await run({ kind: 'finalizer', change: 'remove', why: WHY });
    expect(live(cluster as unknown as KubeObject)!.metadata.finalizers).toEqual(['other.io/x']);
  });
});

describe('an object of somebody else', () => {
  const other = (more: object = {}): KubeObject => ({
    ...DEPLOYMENT,
    metadata: { ...DEPLOYMENT.metadata, labels: { app: 'other' } },
    ...more,
  });
  const refused = { done: [], failure: null, refusals: [{ reason: 'AlreadyExists' }] };

  test('is not overwritten by apply, whether or not another uid is expected', async () => {
    const { run, live, server, cluster } = await setup();
    const before = server.put(other());
    const object = {
      ...DEPLOYMENT,
      metadata: { ...DEPLOYMENT.metadata, ownerReferences: [owner(cluster)] },
    };
    expect(await run({ kind: 'apply', object, why: WHY })).toMatchObject(refused);
    expect(await run({ kind: 'apply', object, uid: 'of-before', why: WHY })).toMatchObject(refused);
    expect(live(DEPLOYMENT)).toEqual(before);
  });

  test('is not scaled', async () => {
    const { run, live, server } = await setup();
    const { uid: _, ...ref } = refOf(server.put(other()));
    expect(await run({ kind: 'scale', ref, replicas: 7, why: WHY })).toMatchObject(refused);
    expect(live(DEPLOYMENT)!['spec']).toEqual(DEPLOYMENT['spec']);
  });

  test('is not taken for the Secret that is to be made', async () => {
    const { run, server } = await setup();
    server.put(SECRET);
    const object = { ...SECRET, metadata: { ...SECRET.metadata, labels: { ours: 'yes' } } };
    expect(await run({ kind: 'createSecret', object, keys: [], why: WHY })).toMatchObject(refused);
  });

  test('is not evicted, also where its controller has the name of a workload of ours', async () => {
    const { run, live, server, cluster, writes } = await setup();
    const set = server.put({
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
      metadata: { namespace: 'a', name: 'demo-mongodb', ownerReferences: [owner(cluster)] },
    });
    for (const ownerReferences of [[], [{ ...owner(set), uid: 'of-before' }]]) {
      const pod = server.put({ ...POD, metadata: { ...POD.metadata, ownerReferences } });
      expect(await run({ kind: 'evict', ref: refOf(pod), why: WHY })).toMatchObject(refused);
    }
    expect([writes, live(POD) === undefined]).toEqual([[], false]);
  });

  test('keeps a StatefulSet from being made that would mount its claim', async () => {
    const { run, live, server } = await setup();
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
    server.put({ ...claim, metadata: { namespace: 'a', name: 'data-demo-mongodb-1' } });
    const object: KubeObject = {
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { namespace: 'a', name: 'demo-mongodb' } },
      spec: { replicas: 2, volumeClaimTemplates: [{ metadata: { name: 'data', labels: { ours: 'yes' } } }] },
    };
    const outcome = await run({ kind: 'apply', object, why: WHY });
    expect(outcome.refusals).toMatchObject([
      { ref: 'StatefulSet demo-mongodb', message: expect.stringContaining('data-demo-mongodb-1') as unknown },
    ]);
    expect(live(object)).toBeUndefined();
  });
});

describe('a plan', () => {
  const ENTRY = { kind: 'recommendation', at: 1, role: 'worker', replicas: 3 } as const;
  const remember: Action = { kind: 'remember', entry: ENTRY, why: WHY };
  const event: Action = { kind: 'event', type: 'Normal', reason: 'Evicted', message: 'w-1' };
  const apply: Action = { kind: 'apply', object: DEPLOYMENT, why: WHY };

  test('stops at the first action that fails, and says which', async () => {
    const { run, server } = await setup();
    server.fail({ kind: 'status', status: 500 }, 100);
    const failed = await run(remember, apply, remember);
    expect(failed).toMatchObject({ done: [{}], remembered: [ENTRY], refusals: [] });
    expect(failed.failure).toMatchObject({ action: 'apply', error: { status: 500 } });
  });

  test.each<[string, Fault]>([
    ['an object that is invalid', { kind: 'status', status: 422 }],
    ['an object that is forbidden', { kind: 'status', status: 403 }],
  ])('goes past %s, and keeps it in mind', async (_case, fault) => {
    const { run, server, live } = await setup();
    server.fail(fault, 1);
    const outcome = await run(apply, event, { ...apply, object: { ...DEPLOYMENT, metadata: POD.metadata } });
    expect(outcome).toMatchObject({
      done: [{}],
      failure: null,
      refusals: [{ ref: 'Deployment demo-worker' }],
    });
    expect(live(DEPLOYMENT)!.metadata.name).toBe('w-1');
  });

  test('goes past an eviction that a budget forbids, and does not tell of it', async () => {
    const { run, server, events } = await setup();
    const ref = refOf(server.put(POD));
    server.fail({ kind: 'status', status: 429 }, 1, ({ subresource }) => subresource === 'eviction');
    const outcome = await run({ kind: 'evict', ref, why: WHY }, event, remember, apply, remember);
    await events.stop();
    expect(outcome).toMatchObject({ done: [{}, {}], remembered: [ENTRY], failure: null });
    expect(server.all({ apiVersion: 'events.k8s.io/v1', kind: 'Event' })).toEqual([]);
  });

  test('writes nothing once this process must not', async () => {
    const { run, server } = await setup(() => {
      throw new Error('no longer the leader');
    });
    const outcome = await run(apply);
    expect(outcome.failure).toMatchObject({ action: 'apply', error: { message: 'no longer the leader' } });
    expect(server.requests).toEqual([]);
  });

  test('fails where a server action lacks its Secret', async () => {
    const { run } = await setup();
    const address = {
      setName: 'rs0',
      setId: null,
      hosts: ['x:1'],
      keyfile: { name: 'gone', key: 'keyfile' },
    };
    const outcome = await run({ kind: 'initiateMongo', address, members: [], why: WHY });
    expect(outcome.failure).toMatchObject({ error: { message: 'there is no Secret gone' } });
  });
});
