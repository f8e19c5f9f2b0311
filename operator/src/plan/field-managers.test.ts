import { expect, test } from '@jest/globals';
import { otherManagers } from './field-managers.ts';
import type { KubeObject } from './kube.ts';

const WANTED = {
  metadata: { annotations: { 'hashcluster.io/applied': 'a' } },
  spec: {
    replicas: 3,
    template: {
      spec: {
        containers: [
          { name: 'worker', image: 'a:1', ports: [{ name: 'admin', containerPort: 8081 }] },
          { name: 'sidecar', image: 'b:1' },
        ],
      },
    },
    accessModes: ['ReadWriteOnce'],
  },
};
const CONTAINERS = {
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"worker"}': { 'f:image': {} } } } } },
};

function live(owned: object, manager = 'rival'): KubeObject {
  const managedFields = [
    { manager: 'hashcluster-operator', fieldsV1: { 'f:spec': {} } },
    { manager, fieldsV1: owned },
    { manager: 'empty' },
  ];
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
    metadata: { name: 'a', managedFields } as KubeObject['metadata'],
  };
}

test.each<[string, object, string, boolean]>([
  ['a field', { 'f:spec': { 'f:replicas': {} } }, 'spec.replicas', true],
  ['another field', { 'f:spec': { 'f:paused': {} } }, 'spec.replicas', false],
  ['a map as a whole', { 'f:spec': {} }, 'spec.template.spec.containers[0].image', true],
  ['an entry of a list by its key', CONTAINERS, 'spec.template.spec.containers[0].image', true],
  ['another entry of the list', CONTAINERS, 'spec.template.spec.containers[1].image', false],
  ['another field of the entry', CONTAINERS, 'spec.template.spec.containers[0].ports[0]', false],
  ['a list as a whole', { 'f:spec': { 'f:accessModes': {} } }, 'spec.accessModes[0]', true],
  [
    'a value of a set',
    { 'f:spec': { 'f:accessModes': { 'v:"ReadWriteOnce"': {} } } },
    'spec.accessModes[0]',
    true,
  ],
  [
    'an annotation whose name has dots',
    { 'f:metadata': { 'f:annotations': { '.': {}, 'f:hashcluster.io/applied': {} } } },
    'metadata.annotations.hashcluster.io/applied',
    true,
  ],
  ['a path that is not wanted', { 'f:spec': { 'f:other': { 'f:a': {} } } }, 'spec.other.b', false],
])('owner of fields: %s', (_title, owned, path, isOwner) => {
  expect(otherManagers(live(owned), WANTED, [path])).toEqual(isOwner ? ['rival'] : []);
});

test('owner of fields: the operator and its scaler are no others', () => {
  const owned = { 'f:spec': { 'f:replicas': {} } };
  expect(otherManagers(live(owned, 'hashcluster-scaler'), WANTED, ['spec.replicas'])).toEqual([]);
});

test('owner of fields: an object without managed fields has no known owner', () => {
  const bare = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };
  expect(otherManagers(bare, WANTED, ['spec.replicas'])).toEqual([]);
});
