import { expect, test } from '@jest/globals';
import { objectPath } from '../control/resources.ts';
import type { KubeObject } from '../plan/kube.ts';
import { type Scene, type Stage, until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';

const TEST_MS = 300_000;
const WITHIN_MS = 120_000;
const CREDENTIALS = 'demo-mongodb-credentials';
const APPLIED = `${CREDENTIALS}-applied`;
const SECRET = { apiVersion: 'v1', kind: 'Secret' };

type Values = Record<string, string>;

async function values(stage: Stage, { namespace }: Scene, name: string): Promise<Values | null> {
  const path = objectPath({ ...SECRET, name, namespace });
  const request = stage.transport.request<KubeObject & { data: Values }>({ method: 'GET', path });
  const secret = await request.catch(() => null);
  return (
    secret &&
    Object.fromEntries(
      Object.entries(secret.data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  );
}

withStage('credentials of managed servers', (stage) => {
  test(
    'are restored when they are deleted, and not made anew by an operator that starts without them',
    async () => {
      const scene = await stage().scene('lost-credentials');
      const first = await scene.operate();
      await scene.clusters.create('demo');
      await scene.settled('demo');
      const before = await values(stage(), scene, CREDENTIALS);
      expect(await values(stage(), scene, APPLIED)).toEqual(before);
      await first.stop();
      await scene.meddle({ ...SECRET, name: CREDENTIALS }, null);
      const second = await scene.operate();
      const restored = await until(
        async () => (await values(stage(), scene, CREDENTIALS)) !== null,
        WITHIN_MS,
      );
      expect([restored, await values(stage(), scene, CREDENTIALS)]).toEqual([true, before]);
      await second.stop();
    },
    TEST_MS,
  );

  test(
    'that are changed reach MongoDB by a second user, which replaces the first one',
    async () => {
      const scene = await stage().scene('rotation');
      const first = await scene.operate();
      await scene.clusters.create('demo');
      await scene.settled('demo');
      await first.stop();
      const host = `demo-mongodb-0.demo-mongodb.${scene.namespace}.svc.cluster.local:27017`;
      const password = Buffer.from('a-new-password').toString('base64');
      await scene.meddle({ ...SECRET, name: CREDENTIALS }, { data: { 'worker-password': password } });
      await scene.operate();
      const replaced = await until(
        () => Promise.resolve(scene.mongo.passwordOf(host, 'worker') === undefined),
        WITHIN_MS,
      );
      expect(replaced).toBe(true);
      expect(scene.mongo.passwordOf(host, 'worker-2')).toBe('a-new-password');
      expect(scene.mongo.history.slice(-2)).toEqual(['set worker-2', 'drop worker']);
      expect((await values(stage(), scene, APPLIED))!['worker-2-password']).toBe('a-new-password');
    },
    TEST_MS,
  );

  test(
    'that are changed reach Kafka by a second user, and the status says why they do not',
    async () => {
      const scene = await stage().scene('kafka-rotation');
      scene.kafka.trouble = 'no broker is there';
      await scene.operate();
      await scene.clusters.create('demo');
      await scene.settled('demo');
      const data = { 'worker-password': Buffer.from('a-new-password').toString('base64') };
      await scene.meddle({ ...SECRET, name: 'demo-kafka-credentials' }, { data });
      const says = async (): Promise<string> => JSON.stringify((await scene.clusters.get('demo')).status);
      expect(await until(async () => (await says()).includes('no broker is there'), WITHIN_MS)).toBe(true);
      scene.kafka.trouble = null;
      const dropped = await until(
        () => Promise.resolve(scene.kafka.history.includes('drop worker')),
        WITHIN_MS,
      );
      expect([dropped, scene.kafka.history]).toEqual([true, ['set worker-2', 'drop worker']]);
      expect(scene.kafka.passwords.get('worker-2')).toBe('a-new-password');
      const applied = await values(stage(), scene, 'demo-kafka-credentials-applied');
      expect(applied!['worker-2-password']).toBe('a-new-password');
      await scene.settled('demo');
    },
    TEST_MS,
  );
});
