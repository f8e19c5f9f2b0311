import { expect, test } from '@jest/globals';
import { customResourceDefinition } from '../api/crd.ts';
import { CLUSTER_SPEC } from '../api/spec.ts';
import { CHANGES, ONE_WAY, changed, leavesOf, unchanged } from './spec-changes.ts';

interface Crd {
  readonly spec: {
    readonly versions: readonly [
      { readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: object } } } },
    ];
  };
}

test('every field of the spec has a change, or goes one way only', () => {
  const { spec } = customResourceDefinition() as unknown as Crd;
  const fields = leavesOf(spec.versions[0].schema.openAPIV3Schema.properties.spec);
  expect([...CHANGES.map(({ path }) => path), ...ONE_WAY].toSorted()).toEqual(fields.toSorted());
});

test.each(CHANGES)('the change of $path is one', (change) => {
  const before = unchanged(change);
  expect(CLUSTER_SPEC.parse(changed(change))).not.toEqual(CLUSTER_SPEC.parse(before));
});
