import { expect, test } from '@jest/globals';
import { until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';

const TEST_MS = 300_000;

withStage('an operator', (stage) => {
  test(
    'makes all that three lines ask for, and nothing twice',
    async () => {
      const scene = await stage().scene('minimal');
      const { proxy } = await scene.operate();
      await scene.clusters.create('demo');
      const objects = Object.keys(await scene.settled('demo')).toSorted();
      await scene.end();
      const of = (kind: string, ...parts: string[]) => parts.map((part) => `${kind}/CLUSTER-${part}`);
      const all = ['endpoint', 'kafka', 'mongodb', 'worker'];
      expect(objects).toEqual(
        [
          ...of('ConfigMap', 'kafka', 'mongodb'),
          ...of('Secret', 'kafka-credentials', 'mongodb-credentials'),
          ...of('Secret', 'kafka-credentials-applied', 'mongodb-credentials-applied'),
          ...of('Service', 'endpoint', 'kafka', 'mongodb'),
          ...of('Deployment', 'endpoint', 'worker'),
          ...of('StatefulSet', 'kafka', 'mongodb'),
          ...['ServiceAccount', 'NetworkPolicy', 'PodDisruptionBudget'].flatMap((kind) => of(kind, ...all)),
          'HashCluster/CLUSTER',
        ].toSorted(),
      );
      const applied = proxy.writes
        .filter(({ method, path }) => method === 'PATCH' && !path.includes('/status?'))
        .map(({ path }) => path);
      const again = applied.filter((path, at) => applied.indexOf(path) !== at);
      // Deployments note their replica set, which is known once it has been initiated: that restarts nothing.
      const isNoted = (path: string) => /\/deployments\/demo-(endpoint|worker)\?/.test(path);
      expect(again.filter((path) => !isNoted(path))).toEqual([]);
      expect(again.toSorted()).toEqual([...new Set(again)].toSorted());
    },
    TEST_MS,
  );

  test(
    'that comes new to clusters that are as they should be writes nothing',
    async () => {
      const scene = await stage().scene('settled');
      const first = await scene.operate();
      for (const name of ['one', 'two']) await scene.clusters.create(name);
      for (const name of ['one', 'two']) await scene.settled(name);
      await first.stop();
      const second = await scene.operate();
      // Both are looked at when it starts, and again and again.
      expect(await until(() => Promise.resolve(second.rounds() >= 6))).toBe(true);
      expect(second.proxy.writes).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'puts right what others have changed and deleted, and leaves replicas to the scaler',
    async () => {
      const scene = await stage().scene('drift');
      await scene.operate();
      await scene.clusters.create('demo');
      const expected = await scene.settled('demo');
      await scene.meddle(
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'demo-worker' },
        { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } }, replicas: 3 } },
      );
      await scene.meddle(
        { apiVersion: 'v1', kind: 'Service', name: 'demo-endpoint' },
        { spec: { selector: { app: 'other' } } },
      );
      await scene.meddle(
        { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: 'demo-mongodb' },
        null,
      );
      await scene.meddle(
        { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', name: 'demo-worker' },
        { spec: { maxUnavailable: '100%' } },
      );
      const three = await until(async () => {
        const is = (await scene.snapshot('demo')) as Record<string, { spec?: { replicas?: number } }>;
        return is['Deployment/CLUSTER-worker']?.spec?.replicas === 3 && 'NetworkPolicy/CLUSTER-mongodb' in is;
      });
      expect(three).toBe(true);
      await scene.meddle(
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'demo-worker' },
        { spec: { replicas: 2 } },
      );
      expect(await scene.becomes('demo', expected)).toEqual(expected);
    },
    TEST_MS,
  );
});
