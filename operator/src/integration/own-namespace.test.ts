import { expect, test } from '@jest/globals';
import { objectPath } from '../control/resources.ts';
import { until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';

const TEST_MS = 300_000;
const NAMESPACE = 'home';
const SET = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'demo-mongodb', namespace: NAMESPACE };

interface Claiming {
  readonly spec: { readonly persistentVolumeClaimRetentionPolicy: { readonly whenDeleted: string } };
}

withStage('a HashCluster in the namespace of its operator', (stage) => {
  test(
    'is deleted without the operator, so that the namespace can always be deleted',
    async () => {
      const scene = await stage().scene(NAMESPACE);
      // As an operator of another namespace leaves it behind.
      const before = await scene.operate();
      await scene.clusters.create('demo', { deletionPolicy: 'Delete' });
      await scene.settled('demo');
      expect((await scene.clusters.get('demo')).metadata.finalizers).toEqual(['hashcluster.io/drain']);
      await before.stop();
      const operator = await scene.operate({}, { home: NAMESPACE });
      const released = await until(
        async () => ((await scene.clusters.get('demo')).metadata.finalizers ?? []).length === 0,
      );
      expect(released).toBe(true);
      const deletes = await until(async () => {
        const set = await stage().transport.request<Claiming>({ method: 'GET', path: objectPath(SET) });
        return set.spec.persistentVolumeClaimRetentionPolicy.whenDeleted === 'Delete';
      });
      expect(deletes).toBe(true);
      await operator.stop();
      await scene.clusters.remove('demo');
      expect(await scene.clusters.all()).toEqual([]);
    },
    TEST_MS,
  );
});
