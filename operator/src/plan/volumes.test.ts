import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../api/spec.ts';
import type { KubeObject } from './kube.ts';
import type { Observed } from './observed.ts';
import { ago, NOW, scene } from './testing/scene.ts';
import { planVolumes, RESIZE_REQUESTED } from './volumes.ts';

function claim(storage: string, capacity = storage): KubeObject {
  return {
    ...{
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data-hc-mongodb-0', namespace: 'ns', labels: LABELS },
    },
    spec: { storageClassName: 'fast', resources: { requests: { storage } } },
    status: { capacity: { storage: capacity } },
  };
}

const LABELS = {
  'app.kubernetes.io/name': 'hashcluster',
  'app.kubernetes.io/instance': 'hc',
  'app.kubernetes.io/component': 'mongodb',
  'app.kubernetes.io/managed-by': 'hashcluster-operator',
};

interface Case {
  readonly managed: { readonly storage: string; readonly maxStorage?: string };
  readonly claim: KubeObject;
  readonly percent?: number;
  readonly expandable?: boolean | null;
}

function planned({ managed, claim: live, percent, expandable = true }: Case) {
  const spec: ClusterSpecInput = { mongodb: { managed } };
  const disks =
    percent === undefined ? [] : [{ host: 'hc-mongodb-0.hc-mongodb:27017', used: percent, total: 100 }];
  const value = { config: null, members: [], primary: null, users: null, identities: [], disks };
  const base = scene({ spec, children: [live], readings: { mongo: { at: NOW, value } } });
  const storageClass = { name: 'fast', isDefault: false, allowVolumeExpansion: expandable === true };
  const observed: Observed = { ...base, storageClasses: expandable === null ? null : [storageClass] };
  return planVolumes({ cluster: observed.cluster, observed });
}

describe('a volume', () => {
  test.each<[string, Case, string | null]>([
    [
      'stays as it is when it has what is asked for',
      { managed: { storage: '10Gi' }, claim: claim('10Gi') },
      null,
    ],
    [
      'stays when it is not labelled as a claim of the cluster',
      {
        managed: { storage: '20Gi' },
        claim: { ...claim('10Gi'), metadata: { name: 'data-hc-mongodb-0', namespace: 'ns' } },
      },
      null,
    ],
    ['stays when it has more', { managed: { storage: '10Gi' }, claim: claim('20480Mi') }, null],
    ['grows when more is asked for', { managed: { storage: '20Gi' }, claim: claim('10Gi') }, '20Gi'],
    [
      'grows by a quarter when it is filling up',
      { managed: { storage: '10Gi', maxStorage: '50Gi' }, claim: claim('10Gi'), percent: 85 },
      '13Gi',
    ],
    ['does not without a bound', { managed: { storage: '10Gi' }, claim: claim('10Gi'), percent: 99 }, null],
    [
      'does not beyond its bound',
      { managed: { storage: '10Gi', maxStorage: '11Gi' }, claim: claim('10Gi'), percent: 90 },
      '11Gi',
    ],
    [
      'does not while it is still growing',
      { managed: { storage: '10Gi', maxStorage: '50Gi' }, claim: claim('13Gi', '10Gi'), percent: 90 },
      null,
    ],
    [
      'does not when nobody knows how full it is',
      { managed: { storage: '10Gi', maxStorage: '50Gi' }, claim: claim('10Gi') },
      null,
    ],
    [
      'is tried where nobody may read its class',
      { managed: { storage: '20Gi' }, claim: claim('10Gi'), expandable: null },
      '20Gi',
    ],
  ])('%s', (_, given, storage) => {
    const { actions, stuck } = planned(given);
    expect(actions.map((action) => (action.kind === 'expandVolume' ? action.storage : action.kind))).toEqual(
      storage === null ? [] : [storage],
    );
    expect(stuck).toEqual([]);
  });

  const resized = (more: object, annotations: Record<string, string> = {}): KubeObject => {
    const live = claim('20Gi', '10Gi');
    const status = { ...(live['status'] as object), ...more };
    return { ...live, metadata: { ...live.metadata, annotations }, status };
  };
  const requested = (seconds: number) => ({ [RESIZE_REQUESTED]: ago(seconds) });
  const managed = { storage: '20Gi' };
  const error = { type: 'ControllerResizeError', status: 'True', message: 'quota of the cloud' };

  test.each<[string, KubeObject, 'resizing' | 'stuck', RegExp]>([
    ['goes on', resized({}, requested(599)), 'resizing', /^Resizing data-hc-mongodb-0 from 10Gi to 20Gi$/],
    ['was asked for by somebody else', resized({}), 'resizing', /^Resizing/],
    ['is not done for long', resized({}, requested(600)), 'stuck', /20Gi: accepted at .* and not done since/],
    ['has failed', resized({ conditions: [error] }), 'stuck', /20Gi: quota of the cloud$/],
    [
      'cannot be done',
      resized({ allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' } }),
      'stuck',
      /NodeResizeInfeasible/,
    ],
  ])('is told of while its resize %s', (_, live, where, says) => {
    const plan = planned({ managed, claim: live });
    expect(plan.actions).toEqual([]);
    expect(plan[where][0]?.message).toMatch(says);
    expect(plan[where === 'stuck' ? 'resizing' : 'stuck']).toEqual([]);
  });

  test('that cannot grow is told of', () => {
    const { actions, stuck } = planned({
      ...{ managed: { storage: '20Gi' }, claim: claim('10Gi'), expandable: false },
    });
    expect(actions).toEqual([]);
    expect(stuck[0]?.message).toMatch(/should have 20Gi .* StorageClass fast does not allow expansion/);
  });
});
