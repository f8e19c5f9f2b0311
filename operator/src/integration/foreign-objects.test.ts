import { expect, test } from '@jest/globals';
import { collectionPath, objectPath } from '../control/resources.ts';
import type { KubeObject } from '../plan/kube.ts';
import { type Scene, type Stage, until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';

const TEST_MS = 300_000;
const TOLD_MS = 60_000;
const LABELS = {
  'app.kubernetes.io/name': 'hashcluster',
  'app.kubernetes.io/instance': 'shop',
  'app.kubernetes.io/managed-by': 'hashcluster-operator',
};
const POD = { containers: [{ name: 'a', image: 'a' }] };
const workload = (labels: Record<string, string>) => ({
  replicas: 3,
  selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: POD },
});
const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

function foreign(apiVersion: string, kind: string, name: string, fields: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name }, ...fields };
}

/** One object of every kind that the operator writes, with a name that it would use. */
const FOREIGN: readonly KubeObject[] = [
  foreign('v1', 'Service', 'shop-mongodb', { spec: { ports: [{ port: 80 }], selector: { app: 'other' } } }),
  foreign('v1', 'ConfigMap', 'shop-kafka', { data: { other: 'yes' } }),
  foreign('v1', 'ServiceAccount', 'shop-worker'),
  foreign('v1', 'Secret', 'shop-mongodb-credentials', { stringData: { other: 'yes' } }),
  foreign('v1', 'PersistentVolumeClaim', 'data-shop-kafka-0', { spec: claim }),
  foreign('networking.k8s.io/v1', 'NetworkPolicy', 'shop-endpoint', { spec: { podSelector: {} } }),
  foreign('policy/v1', 'PodDisruptionBudget', 'shop-endpoint', { spec: { maxUnavailable: 1 } }),
  foreign('apps/v1', 'Deployment', 'shop-worker', { spec: workload({ app: 'other' }) }),
  foreign('apps/v1', 'StatefulSet', 'shop-mongodb', { spec: workload({ app: 'other' }) }),
];
/** With the labels of the operator, as a copy of its manifest has them: names and labels say nothing of the controller. */
const LABELLED: readonly KubeObject[] = FOREIGN.filter(
  ({ kind }) => kind !== 'Secret' && kind !== 'PersistentVolumeClaim',
).map((object) => ({ ...object, metadata: { ...object.metadata, labels: LABELS } }));

async function create(stage: Stage, { namespace }: Scene, objects: readonly KubeObject[]): Promise<void> {
  for (const body of objects) {
    await stage.transport.request({ method: 'POST', path: collectionPath(body, namespace), body });
  }
}

/** Objects without their status: nobody who has no right to write anything else writes that. */
async function read(stage: Stage, { namespace }: Scene, objects: readonly KubeObject[]) {
  return Promise.all(
    objects.map(async ({ apiVersion, kind, metadata: { name } }) => {
      const path = objectPath({ apiVersion, kind, name, namespace });
      const { status: _, ...rest } = await stage.transport.request<KubeObject>({ method: 'GET', path });
      const { metadata } = rest;
      const { uid, labels, annotations, ownerReferences, generation } = metadata;
      return { ...rest, metadata: { name, uid, labels, annotations, ownerReferences, generation } };
    }),
  );
}

async function degraded({ clusters }: Scene): Promise<{ reason: string; message: string } | null> {
  const { status } = await clusters.get('shop');
  return status?.conditions?.find(({ type, status: is }) => type === 'Degraded' && is === 'True') ?? null;
}

withStage('an operator that finds objects of others under the names it would use', (stage) => {
  test.each([
    ['without labels', FOREIGN],
    ['with its own labels', LABELLED],
  ])(
    'leaves them as they are, %s, and says so',
    async (title, objects) => {
      const scene = await stage().scene(`foreign-${title.replaceAll(' ', '-')}`);
      await create(stage(), scene, objects);
      const before = await read(stage(), scene, objects);
      await scene.operate();
      await scene.clusters.create('shop', { deletionPolicy: 'Delete' });
      await until(async () => (await degraded(scene))?.reason === 'AlreadyExists', TOLD_MS);
      expect(await degraded(scene)).toMatchObject({
        reason: 'AlreadyExists',
        message: expect.stringContaining('is not controlled by this HashCluster') as unknown,
      });
      expect(await until(async () => (await events(stage(), scene)).includes('AlreadyExists'), TOLD_MS)).toBe(
        true,
      );
      // A change of the spec leads to writes of every kind once more.
      const { generation } = (
        await scene.clusters.patch('shop', { worker: { replicas: { min: 5 } }, imagePullPolicy: 'Always' })
      ).metadata;
      const seen = await until(
        async () => (await scene.clusters.get('shop')).status?.observedGeneration === generation,
      );
      expect(seen).toBe(true);
      expect(await read(stage(), scene, objects)).toEqual(before);
      await scene.clusters.remove('shop');
      expect(await until(async () => (await scene.clusters.all()).length === 0)).toBe(true);
      expect(await read(stage(), scene, objects)).toEqual(before);
    },
    TEST_MS,
  );
});

async function events(stage: Stage, { namespace }: Scene): Promise<string[]> {
  const path = collectionPath({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, namespace);
  const { items } = await stage.transport.request<{ readonly items: readonly { readonly reason: string }[] }>(
    {
      method: 'GET',
      path,
    },
  );
  return items.map(({ reason }) => reason);
}
