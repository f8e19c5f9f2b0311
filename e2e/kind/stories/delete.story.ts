import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobBody, WorkerBody } from '../../lib/client.ts';
import { iterated } from '../lib/hash.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { readThroughIngress, submitThroughIngress, throughIngress } from '../lib/ingress.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('delete');
/** Of the same name, in another namespace. */
const neighbour = new TestCluster('delete', 'neighbour');
const spec = smallSpec(cluster.host);
const KINDS = 'deployments,statefulsets,services,configmaps,secrets,pods,pvc,ingresses,networkpolicies,pdb';

beforeAll(async () => {
  await installOperator();
  await cluster.apply({ ...spec, deletionPolicy: 'Retain' });
  await neighbour.apply(smallSpec(neighbour.host));
  for (const each of [cluster, neighbour]) await each.ready();
}, 900_000);
afterAll(async () => {
  for (const each of [cluster, neighbour]) await each.remove();
}, 900_000);

async function deleteCluster(): Promise<void> {
  const args = ['delete', 'hashcluster', cluster.name, '--timeout=180s'];
  await cluster.namespace.kubectl(args, { limitMs: 190_000 });
}

/** Uids of all objects of the neighbour. */
async function neighbours(): Promise<string[]> {
  const objects = await neighbour.namespace.list(KINDS);
  return objects.map(({ metadata }) => metadata.uid).sort();
}

/** Whatever of the HashCluster is there, as `Kind/name`. */
async function remains(): Promise<string[]> {
  const objects = await cluster.namespace.list(KINDS, `app.kubernetes.io/instance=${cluster.name}`);
  return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
}

/** Workers that an endpoint hears, as several requests find them. */
function heard({ host }: TestCluster): Promise<string[]> {
  const ask = async () => {
    const { items } = await readThroughIngress<{ items: WorkerBody[] }>(host, '/v1/workers');
    const hosts = items.map((worker) => worker.host).sort();
    return hosts.join();
  };
  return Promise.all([ask(), ask(), ask(), ask(), ask(), ask()]);
}

describe('two HashClusters of one name in two namespaces', () => {
  test('know nothing of each other', async () => {
    const job = await submitThroughIngress(cluster.host, 'mine', 50_000);
    const there = await throughIngress({ host: neighbour.host, path: `/v1/jobs/${job.id}` });
    expect(there.status).toBe(404);
    for (const each of [cluster, neighbour]) {
      const own = (await each.pods('worker')).sort().join();
      // Each endpoint hears of workers a moment after it takes jobs; the ingress asks now this one, now that one.
      const hearOnlyThose = async () => (await heard(each)).every((workers) => workers === own);
      await each.until('heard by its endpoints', hearOnlyThose, 60);
    }
  }, 120_000);
});

describe('a HashCluster that is deleted', () => {
  test('with Retain keeps its data, and is there again with them when it is made again', async () => {
    const job = await submitThroughIngress(cluster.host, 'kept', 50_000);
    expect(job.digest).toBe(iterated('kept', 50_000));
    await deleteCluster();
    await cluster.until('gone', async () => (await remains()).every((name) => isData(name)), 180);
    expect(await remains()).toContain('PersistentVolumeClaim/data-delete-mongodb-0');
    await cluster.apply(spec);
    await cluster.ready();
    const answer = await throughIngress({ host: cluster.host, path: `/v1/jobs/${job.id}` });
    expect(JSON.parse(answer.text) as JobBody).toMatchObject({ state: 'done', digest: job.digest });
  }, 900_000);

  test('with Delete leaves nothing, and its neighbour as it was', async () => {
    const before = await neighbours();
    await deleteCluster();
    await cluster.until('gone', async () => (await remains()).length === 0, 180);
    expect(await neighbours()).toEqual(before);
    await submitThroughIngress(neighbour.host, 'still here', 50_000);
  }, 400_000);
});

function isData(name: string): boolean {
  return name.startsWith('PersistentVolumeClaim/') || name.startsWith('Secret/');
}
