import { describe, expect, test } from '@jest/globals';
import type { KubeObject, Pod } from './kube.ts';
import { isRolledOut, nextMember, outdated } from './rollout.ts';
import { deployment, pod } from './testing/scene.ts';

const SET: KubeObject = {
  ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { replicas: 3 } },
  metadata: { name: 'hc-mongodb', generation: 2 },
  status: { observedGeneration: 2, updateRevision: 'new' },
};

/** `old`, `new`, or `old!` for one that is not ready; the first is ordinal 0. */
function members(...kinds: readonly string[]): Pod[] {
  return kinds.map((kind, ordinal) => {
    const made = pod(`hc-mongodb-${ordinal}`, { component: 'mongodb', ready: !kind.endsWith('!') });
    const labels = { ...made.metadata.labels, 'controller-revision-hash': kind.replace('!', '') };
    return { ...made, metadata: { ...made.metadata, labels } };
  });
}

describe('the next member to be replaced', () => {
  test.each<[string, readonly string[], { healthy?: boolean; leader?: string }, string | null]>([
    ['is none when all are new', ['new', 'new', 'new'], {}, null],
    ['is the last ordinal first', ['old', 'old', 'old'], {}, 'hc-mongodb-2'],
    [
      'is the leader only when it is the last',
      ['old', 'old', 'old'],
      { leader: 'hc-mongodb-2' },
      'hc-mongodb-1',
    ],
    [
      'is the leader when nobody else is old',
      ['new', 'new', 'old'],
      { leader: 'hc-mongodb-2' },
      'hc-mongodb-2',
    ],
    ['waits for one that is not ready yet', ['old', 'old', 'new!'], {}, null],
    ['waits for one that is gone', ['old', 'old'], {}, null],
    ['waits while not all take part', ['old', 'old', 'new'], { healthy: false }, null],
    [
      'is one that is not ready, whatever else is the case',
      ['old!', 'old', 'old'],
      { healthy: false },
      'hc-mongodb-0',
    ],
  ])('%s', (_, kinds, { healthy = true, leader = null }, expected) => {
    const actions = nextMember('mongodb', { set: SET, pods: members(...kinds), healthy, leader });
    const names = actions.map((action) => ('ref' in action ? action.ref.name : action.kind));
    expect(names).toEqual(expected === null ? [] : [expected]);
  });

  test('is not known before the StatefulSet’s controller has seen the change', () => {
    const unseen = { ...SET, metadata: { ...SET.metadata, generation: 3 } };
    expect(outdated(unseen, members('old', 'old', 'old'))).toEqual([]);
  });
});

describe('a Deployment', () => {
  test.each<[string, object, boolean]>([
    ['is rolled out when all pods are new and there', { availableReplicas: 3 }, true],
    ['is not while its controller has not looked', { availableReplicas: 3, observedGeneration: 0 }, false],
    ['is not while old pods are left', { availableReplicas: 3, replicas: 4 }, false],
    ['is not while new pods are not available', { availableReplicas: 2 }, false],
  ])('%s', (_, status, expected) => {
    expect(isRolledOut(deployment('endpoint', 3, status))).toBe(expected);
  });
});
