import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGES, NEXT_SERVICES } from '../lib/cluster.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { audit, underLoad } from '../lib/load.ts';
import { earlierChart, installOperator, OPERATOR_HOME } from '../lib/operator.ts';
import { runsOf } from '../lib/settings.ts';

const cluster = new TestCluster('change');
const RUNS = runsOf();
let folder: string;
let spec = smallSpec(cluster.host);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashcluster-e2e-'));
  await installOperator({}, await earlierChart(folder, 'logging'));
  await cluster.apply(spec);
  await cluster.ready();
}, 600_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await cluster.remove();
}, 500_000);

/** Names of all pods that hash or answer. */
async function roles(): Promise<string[]> {
  return [...(await cluster.pods('endpoint')), ...(await cluster.pods('worker'))].sort();
}

describe('a HashCluster that changes', () => {
  test('restarts nothing when chart and operator are upgraded, and has the new fields of the CRD then', async () => {
    const before = await roles();
    const changed = { ...spec, logging: { level: 'info' }, worker: { replicas: { min: 1, max: 1 } } };
    await expect(cluster.apply(changed)).rejects.toThrow('logging');
    await installOperator({ 'podAnnotations.replaced': 'true' });
    await cluster.apply(changed);
    await cluster.ready();
    const after = await roles();
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
    expect(after).toHaveLength(3);
  }, 400_000);

  test.each(RUNS)(
    'rolls a new image out under load, and no request fails but by a polite refusal (run %d)',
    async (run) => {
      const before = await roles();
      // There and back again.
      spec = { ...spec, image: run % 2 === 1 ? NEXT_SERVICES : IMAGES.services };
      const tally = await underLoad(cluster.host, 50, async (load) => {
        await cluster.until('under load', () => Promise.resolve(load.acknowledged >= 100), 60);
        await cluster.apply(spec);
        await cluster.ready();
      });
      const wrong = await audit(cluster.host, tally, { samples: 30, limitMs: 120_000 });
      console.log(`${tally.acknowledged.size} acknowledged, ${tally.refused} refused`);
      expect([wrong, tally.failures]).toEqual([[], []]);
      expect((await roles()).filter((name) => before.includes(name))).toEqual([]);
    },
    600_000,
  );

  test.each([
    ['an unknown field', { ...spec, workers: 3 }, /workers/],
    ['bounds that cross', { ...spec, worker: { replicas: { min: 5, max: 2 } } }, /min/],
    ['another storage class', withStorage({ storageClassName: 'fast' }), /storageClassName/],
    ['less storage', withStorage({ storage: '500Mi' }), /storage/],
  ])('refuses %s, and stays as it is', async (_what, bad, reason) => {
    await expect(cluster.apply(bad)).rejects.toThrow(reason);
    expect(await cluster.conditions()).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'True' }),
    );
  });

  test('has an operator that stays small', async () => {
    const pods = await OPERATOR_HOME.list('pods', 'app.kubernetes.io/name=hashcluster-operator');
    const restarts = pods.map(
      ({ status }) =>
        (status as { containerStatuses?: { restartCount: number }[] } | undefined)?.containerStatuses?.[0]
          ?.restartCount,
    );
    expect(restarts).toEqual([0]);
  });
});

function withStorage(change: object): Record<string, unknown> {
  return { ...spec, mongodb: { managed: { replicas: 1, storage: '1Gi', ...change } } };
}
