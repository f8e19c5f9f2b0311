import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sturdySpec, TestCluster } from '../lib/hash-cluster.ts';
import { audit, underLoad, type Load, type Tally } from '../lib/load.ts';
import { loseVolume, moveStoreLeader, replicaSets } from '../lib/mongo.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('data');
const WITHIN_S = 300;

function spec(replicas: number): Record<string, unknown> {
  const managed = { replicas, storage: '1Gi' };
  return { ...sturdySpec(cluster.host), deletionPolicy: 'Retain', mongodb: { managed } };
}

beforeAll(async () => {
  await installOperator();
  await cluster.apply(spec(3));
  await cluster.ready();
}, 900_000);
afterAll(async () => {
  await cluster.apply({ ...spec(1), deletionPolicy: 'Delete' });
  await cluster.remove();
}, 500_000);

async function reason(type: string): Promise<string> {
  return (await cluster.conditions()).find((condition) => condition.type === type)?.reason ?? '';
}

async function events(): Promise<string[]> {
  const found = await cluster.namespace.list('events.v1.events.k8s.io');
  return found.map((event) => String((event as unknown as { reason: unknown }).reason));
}

async function members(count: number): Promise<void> {
  const holds = async () => (await cluster.pods('mongodb')).length === count;
  await cluster.until(`one of ${count} members`, holds, WITHIN_S);
  await cluster.ready(WITHIN_S);
}

/** Does something under load. Everything that was acknowledged must be done afterwards, and there is one replica set. */
async function nothingLost(happens: (load: Load) => Promise<void>): Promise<Tally> {
  const tally = await underLoad(cluster.host, 5, happens);
  expect(await audit(cluster.host, tally, { samples: 20, limitMs: 180_000 })).toEqual([]);
  expect(await replicaSets(cluster)).toHaveLength(1);
  return tally;
}

describe('the data of MongoDB', () => {
  test('outlives going from three members to one, with the primary on one that goes', async () => {
    await moveStoreLeader(cluster);
    await nothingLost(async () => {
      await cluster.apply(spec(1));
      await members(1);
    });
    await cluster.apply(spec(3));
    await members(3);
  }, 1_200_000);

  test('outlives a lost volume, and that is said', async () => {
    await nothingLost(async () => {
      await loseVolume(cluster, 1);
      await cluster.until('without a volume', async () => (await reason('Degraded')) === 'VolumeLost', 120);
      await cluster.ready(WITHIN_S);
      await cluster.until('whole', async () => (await reason('Degraded')) === 'AsExpected', WITHIN_S);
    });
    expect(await events()).toEqual(expect.arrayContaining(['VolumeLost', 'VolumeRestored']));
  }, 900_000);

  test('is there when it is made anew with one member over three volumes, of which the first is lost', async () => {
    const before = await nothingLost(async (load) => {
      await cluster.until('under load', () => Promise.resolve(load.acknowledged > 20), 60);
    });
    const [set] = await replicaSets(cluster);
    const args = ['delete', 'hashcluster', cluster.name, '--timeout=180s'];
    await cluster.namespace.kubectl(args, { limitMs: 190_000 });
    await cluster.until('gone', async () => (await cluster.pods('mongodb')).length === 0, 180);
    await loseVolume(cluster, 0);
    await cluster.apply(spec(1));
    await members(1);
    expect(await events()).toContain('StartsFromVolumes');
    await cluster.apply(spec(3));
    await members(3);
    expect(await replicaSets(cluster)).toEqual([set]);
    expect(await audit(cluster.host, before, { samples: 20, limitMs: 180_000 })).toEqual([]);
  }, 1_800_000);
});
