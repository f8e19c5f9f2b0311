import { describe, expect, test } from '@jest/globals';
import { applySays, applying, marked, wouldRestart } from './applying.ts';
import type { KubeObject } from './kube.ts';

function service(spec: object, annotations?: Record<string, string>): KubeObject {
  const metadata = { name: 'a', namespace: 'ns', ...(annotations && { annotations }) };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec };
}

/** As the API server has it: with what it and others add. */
function live(object: KubeObject, more: object = {}): KubeObject {
  const applied = marked(object);
  return { ...applied, metadata: { ...applied.metadata, uid: 'u', ...more }, status: {} };
}

describe('a child is applied', () => {
  const wanted = service({ type: 'ClusterIP', ports: [{ port: 1 }] });

  test.each<[string, KubeObject | null, RegExp]>([
    ['when it is not there', null, /it is not there/],
    ['when a field is another', live(service({ type: 'NodePort', ports: [{ port: 1 }] })), /spec\.type/],
    [
      'when a field is no longer wanted',
      live(service({ type: 'ClusterIP', ports: [{ port: 1 }], sessionAffinity: 'ClientIP' })),
      /: a field that was applied before is removed/,
    ],
    [
      'when an annotation is no longer wanted',
      live(service(wanted['spec'] as object, { a: 'b' })),
      /: a field that was applied before is removed/,
    ],
  ])('%s', (_, there, why) => {
    expect(applying(wanted, there)?.why).toMatch(why);
  });

  test('not when it is as it should be, whatever others have added', () => {
    const there = live(wanted, { annotations: { ...marked(wanted).metadata.annotations, theirs: 'x' } });
    expect(applying(wanted, there)).toBeNull();
  });

  test.each<[string, KubeObject | null, string]>([
    ['a creation', null, 'Creating Service a'],
    [
      'an update',
      live(service({ type: 'NodePort', ports: [{ port: 1 }] })),
      'Updating Service a (spec.type)',
    ],
  ])('and says of %s what it does', (_, there, says) => {
    expect(applySays(applying(wanted, there)!)).toBe(says);
  });

  test('and no more paths are named than people read', () => {
    const spec = { a: 1, b: 2, c: 3, d: 4 };
    expect(applying(service(spec), live(service({ a: 0, b: 0, c: 0, d: 0 })))?.why).toMatch(
      /: spec.a, spec.b, spec.c and 1 more$/,
    );
  });
});

describe('pods are replaced', () => {
  const workload = (template: object, more: object = {}) => service({ template, ...more });

  test.each<[string, object, object, boolean]>([
    ['when their template is another', { a: 1 }, { a: 2 }, true],
    ['when a field of it is no longer wanted', { a: 1 }, { a: 1, b: 2 }, true],
    ['not when it is the same', { a: 1 }, { a: 1 }, false],
  ])('%s', (_, desired, there, expected) => {
    expect(wouldRestart(workload(desired), live(workload(there)))).toBe(expected);
  });

  test('not when anything else is another', () => {
    expect(wouldRestart(workload({ a: 1 }, { replicas: 1 }), live(workload({ a: 1 }, { replicas: 2 })))).toBe(
      false,
    );
  });
});
