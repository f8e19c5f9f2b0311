import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobBody } from '../../lib/client.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { throughIngress } from '../lib/ingress.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('scale');
const JOBS = 40;

beforeAll(async () => {
  await installOperator();
  await cluster.apply({
    ...smallSpec(cluster.host),
    worker: {
      replicas: { min: 1, max: 4 },
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
      // A loaded machine in this test is the work of the tests.
      scaling: {
        cpu: { enabled: false },
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 10,
            policies: [{ type: 'Pods', value: 1, periodSeconds: 5 }],
          },
        },
      },
    },
  });
  await cluster.ready();
}, 600_000);
afterAll(() => cluster.remove(), 500_000);

async function workers(): Promise<number> {
  return (await cluster.pods('worker')).length;
}

describe('a HashCluster', () => {
  let ids: string[];

  test('gets more workers when work piles up', async () => {
    expect(await workers()).toBe(1);
    const began = performance.now();
    ids = await Promise.all(Array.from({ length: JOBS }, (_, i) => submit(`scale ${i}`, 100_000_000)));
    await cluster.until('larger', async () => (await workers()) > 1, 90);
    console.log(`more workers after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    await cluster.until('as large as it may be', async () => (await workers()) === 4, 120);
  }, 300_000);

  test('gets smaller when there is nothing to do, and no job is lost', async () => {
    for (const id of ids.slice(2))
      await throughIngress({ host: cluster.host, path: `/v1/jobs/${id}`, method: 'DELETE' });
    await cluster.until('small again', async () => (await workers()) === 1, 240);
    for (const id of ids.slice(0, 2)) {
      const answer = await throughIngress({ host: cluster.host, path: `/v1/jobs/${id}` });
      expect(['queued', 'running', 'done']).toContain((JSON.parse(answer.text) as JobBody).state);
    }
  }, 400_000);
});

async function submit(data: string, iterations: number): Promise<string> {
  const answer = await throughIngress({
    ...{ host: cluster.host, path: '/v1/jobs', method: 'POST', body: JSON.stringify({ data, iterations }) },
    headers: { 'content-type': 'application/json' },
  });
  return (JSON.parse(answer.text) as JobBody).id;
}
