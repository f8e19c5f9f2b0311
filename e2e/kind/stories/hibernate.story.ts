import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobBody } from '../../lib/client.ts';
import { iterated } from '../lib/hash.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { readThroughIngress, throughIngress } from '../lib/ingress.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('hibernate');
/** More than an endpoint computes itself. */
const ITERATIONS = 500_000;

beforeAll(async () => {
  await installOperator();
  await cluster.apply({
    ...smallSpec(cluster.host),
    worker: {
      replicas: { min: 0, max: 1 },
      scaling: {
        ...{ cpu: { enabled: false }, disk: { enabled: false } },
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 0,
            policies: [{ type: 'Pods', value: 1, periodSeconds: 5 }],
          },
        },
      },
    },
  });
  await cluster.ready();
}, 600_000);
afterAll(() => cluster.remove(), 500_000);

async function hibernates(): Promise<boolean> {
  const workers = await cluster.pods('worker');
  const conditions = await cluster.conditions();
  const isSaid = conditions.some(
    ({ type, status, reason }) => type === 'Available' && status === 'True' && reason === 'Hibernating',
  );
  return workers.length === 0 && isSaid;
}

test('a HashCluster without jobs has no worker, a job starts the first, and it goes again', async () => {
  await cluster.until('hibernating', hibernates, 240);
  const answer = await throughIngress({
    ...{ host: cluster.host, path: '/v1/jobs', method: 'POST' },
    body: JSON.stringify({ data: 'wake up', iterations: ITERATIONS }),
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(202);
  const began = performance.now();
  const { id } = JSON.parse(answer.text) as JobBody;
  const read = (): Promise<JobBody> => readThroughIngress(cluster.host, `/v1/jobs/${id}`);
  await cluster.until('done with it', async () => (await read()).state === 'done', 240);
  console.log(`done ${((performance.now() - began) / 1_000).toFixed(1)} s after it was submitted`);
  expect((await read()).digest).toBe(iterated('wake up', ITERATIONS));
  await cluster.until('hibernating again', hibernates, 240);
  console.log(`without workers ${((performance.now() - began) / 1_000).toFixed(1)} s after it was submitted`);
}, 800_000);
