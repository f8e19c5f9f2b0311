import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { kubectl } from '../lib/kube.ts';
import { installOperator, installOperatorIn, OPERATOR_HOME } from '../lib/operator.ts';
import { runsOf } from '../lib/settings.ts';

const cluster = new TestCluster('home');
const PARTS = ['endpoint', 'worker', 'mongodb', 'kafka'] as const;
const RUNS = runsOf();

beforeAll(async () => {
  // The release of the other stories watches all namespaces, and would help out.
  await installOperator({ 'watchNamespaces[0]': OPERATOR_HOME.name });
}, 200_000);
afterAll(async () => {
  await cluster.namespace.remove();
  await installOperator();
}, 500_000);

describe('the namespace of an operator and its HashCluster', () => {
  test.each(RUNS.flatMap((run) => (['Retain', 'Delete'] as const).map((policy) => ({ policy, run }))))(
    'is gone when it is deleted, with the policy $policy (run $run)',
    async ({ policy }) => {
      await installOperatorIn(cluster.namespace);
      await cluster.apply({ ...smallSpec(cluster.host), deletionPolicy: policy });
      const hasPods = async (): Promise<boolean> => {
        const pods = await Promise.all(PARTS.map((part) => cluster.pods(part)));
        return pods.every(({ length }) => length > 0);
      };
      await cluster.until('one with pods', hasPods, 120);
      const began = performance.now();
      await cluster.namespace.remove();
      console.log(`${policy}: gone after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
      const args = ['get', 'namespace', cluster.namespace.name, '--ignore-not-found', '--output', 'name'];
      expect(await kubectl(args)).toBe('');
    },
    600_000,
  );
});
