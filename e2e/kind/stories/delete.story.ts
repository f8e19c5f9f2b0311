import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobBody } from '../../lib/client.ts';
import { iterated } from '../lib/hash.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { submitThroughIngress, throughIngress } from '../lib/ingress.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('delete');
const spec = smallSpec(cluster.host);
const KINDS = 'deployments,statefulsets,services,configmaps,secrets,pods,pvc,ingresses,networkpolicies,pdb';

beforeAll(async () => {
  await installOperator();
  await cluster.apply({ ...spec, deletionPolicy: 'Retain' });
  await cluster.ready();
}, 600_000);
afterAll(() => cluster.remove(), 500_000);

async function deleteCluster(): Promise<void> {
  const args = ['delete', 'hashcluster', cluster.name, '--timeout=180s'];
  await cluster.namespace.kubectl(args, { limitMs: 190_000 });
}

/** Whatever of the HashCluster is there, as `Kind/name`. */
async function remains(): Promise<string[]> {
  const objects = await cluster.namespace.list(KINDS, `app.kubernetes.io/instance=${cluster.name}`);
  return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
}

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

  test('with Delete leaves nothing', async () => {
    await deleteCluster();
    await cluster.until('gone', async () => (await remains()).length === 0, 180);
  }, 400_000);
});

function isData(name: string): boolean {
  return name.startsWith('PersistentVolumeClaim/') || name.startsWith('Secret/');
}
