import { expect, test } from '@jest/globals';
import type { KubeObject, ObjectMeta } from './kube.ts';
import { prune } from './pruning.ts';
import { scene } from './testing/scene.ts';

const owner = (uid: string, controller = true) => ({
  ...{ apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster', name: 'hc', uid, controller },
});

function child(kind: string, more: Partial<ObjectMeta> = {}): KubeObject {
  const metadata = { name: 'old', namespace: 'ns', uid: 'u', ownerReferences: [owner('uid-hc')], ...more };
  return { apiVersion: 'v1', kind, metadata };
}

test.each<[string, KubeObject, boolean]>([
  ['a child that nobody wants goes', child('Ingress'), true],
  ['a child that is wanted stays', child('Service', { name: 'wanted' }), false],
  ['a child of another kind with a wanted name goes', child('Ingress', { name: 'wanted' }), true],
  [
    'a child of a HashCluster that had this name before stays',
    child('Ingress', { ownerReferences: [owner('x')] }),
    false,
  ],
  [
    'what only refers to this one stays',
    child('Ingress', { ownerReferences: [owner('uid-hc', false)] }),
    false,
  ],
  ['what has no owner stays', child('Ingress', { ownerReferences: [] }), false],
  ['what is going already is let go', child('Ingress', { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  ['data stays', child('PersistentVolumeClaim'), false],
  ['credentials stay', child('Secret'), false],
])('%s', (_, live, goes) => {
  const observed = scene({ children: [live] });
  const wanted = [child('Service', { name: 'wanted' })];
  const deleted = prune({ cluster: observed.cluster, observed }, wanted);
  expect(deleted.map(({ ref }) => ref.uid)).toEqual(goes ? ['u'] : []);
});
