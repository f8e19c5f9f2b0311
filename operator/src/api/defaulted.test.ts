import { describe, expect, test } from '@jest/globals';
import { defaulted } from './defaulted.ts';
import type { HashCluster } from './hash-cluster.ts';
import { CLUSTER_SPEC, type ClusterSpecInput } from './spec.ts';

function withSpec(spec: unknown): HashCluster {
  return { metadata: { name: 'a', namespace: 'b' }, spec } as HashCluster;
}

describe('a HashCluster as the operator reads it', () => {
  test('has every default, though the API server knows fewer of them', () => {
    const { logging, limits, ...older } = CLUSTER_SPEC.parse({});
    expect(defaulted(withSpec(older)).spec).toMatchObject({ logging, limits });
  });

  test.each<[string, ClusterSpecInput]>([
    ['nothing is given', {}],
    ['servers are others’', { mongodb: { external: { secretName: 'a' } } }],
    ['parts are raw', { worker: { placement: { tolerations: [{ key: 'a', operator: 'Exists' }] } } }],
  ])('is not changed by that where %s', (_, spec) => {
    const whole = withSpec(CLUSTER_SPEC.parse(spec));
    expect(defaulted(whole)).toEqual(whole);
  });

  test('is left as it is when it has what is not understood', () => {
    const strange = withSpec({ deletionPolicy: 'Later' });
    expect(defaulted(strange)).toBe(strange);
  });

  test('keeps its name', () => {
    expect(defaulted(withSpec({})).metadata).toEqual({ name: 'a', namespace: 'b' });
  });
});
