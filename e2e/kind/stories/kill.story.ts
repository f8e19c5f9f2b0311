import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sturdySpec, TestCluster } from '../lib/hash-cluster.ts';
import { saysReady } from '../lib/kube.ts';
import { audit, underLoad } from '../lib/load.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('kill');

beforeAll(async () => {
  await installOperator();
  // A MongoDB of one has nobody to take over: here one of three is killed.
  await cluster.apply(sturdySpec(cluster.host));
  await cluster.ready();
}, 600_000);
afterAll(() => cluster.remove(), 500_000);

describe('under load through the ingress', () => {
  test.each(['worker', 'endpoint', 'kafka', 'mongodb'] as const)(
    'a %s that is killed loses nothing that was acknowledged',
    async (part) => {
      const [victim] = await cluster.pods(part);
      const tally = await underLoad(cluster.host, 10, async (load) => {
        await cluster.until('under load', () => Promise.resolve(load.acknowledged >= 50), 60);
        await cluster.namespace.kubectl(['delete', 'pod', victim!, '--force', '--grace-period=0']);
        await cluster.until('whole again', async () => isReady(part), 240);
        const before = load.acknowledged;
        await cluster.until('serving again', () => Promise.resolve(load.acknowledged >= before + 50), 120);
      });
      const wrong = await audit(cluster.host, tally, { samples: 30, limitMs: 120_000 });
      const { acknowledged, refused, failures } = tally;
      console.log(
        `${part}: ${acknowledged.size} acknowledged, ${refused} refused, ${failures.length} failed`,
        [...new Set(failures)].slice(0, 3),
      );
      expect(wrong).toEqual([]);
    },
    600_000,
  );
});

/** Whether as many pods of the part are ready as there should be. */
async function isReady(part: string): Promise<boolean> {
  const selector = `app.kubernetes.io/instance=${cluster.name},app.kubernetes.io/component=${part}`;
  const pods = await cluster.namespace.list('pods', selector);
  const ready = pods.filter(({ metadata, status }) => {
    return saysReady(status) && metadata.deletionTimestamp === undefined;
  });
  return ready.length === { worker: 2, endpoint: 2, kafka: 1, mongodb: 3 }[part];
}
