import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobBody, WorkerBody } from '../../lib/client.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { readThroughIngress, throughIngress } from '../lib/ingress.ts';
import { stopMetricsServer } from '../lib/metrics-server.ts';
import { installOperator } from '../lib/operator.ts';
import { runsOf } from '../lib/settings.ts';

const cluster = new TestCluster('scale');
const MOST = 4;
const JOBS = 40;
const LONG = 1_000_000_000_000;
const RUNS = runsOf();
const healings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  await installOperator();
  await apply();
  await cluster.ready();
}, 600_000);
afterAll(async () => {
  for (const heal of healings.splice(0)) await heal();
  await cluster.remove();
}, 500_000);

/** What a size goes by. The load and the disk of a machine here are those of the tests: CPU counts only where it is asked for. */
type Signal = 'work' | 'cpu';

async function apply({ min = 1, by = ['work'] as readonly Signal[] } = {}): Promise<void> {
  await cluster.apply({
    ...smallSpec(cluster.host),
    worker: {
      replicas: { min, max: MOST },
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
      scaling: {
        cpu: { enabled: by.includes('cpu'), utilization: 50 },
        disk: { enabled: false },
        ...{ backlog: { enabled: by.includes('work') }, oldestAge: { enabled: by.includes('work') } },
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: 10,
            policies: [{ type: 'Pods', value: 1, periodSeconds: 5 }],
          },
        },
      },
    },
  });
}

async function untilThereAre(workers: number, limitSeconds: number): Promise<void> {
  const holds = async () => (await cluster.pods('worker')).length === workers;
  await cluster.until(`one of ${workers} workers`, holds, limitSeconds);
}

async function submit(data: string, iterations: number): Promise<string> {
  const answer = await throughIngress({
    ...{ host: cluster.host, path: '/v1/jobs', method: 'POST', body: JSON.stringify({ data, iterations }) },
    headers: { 'content-type': 'application/json' },
  });
  return (JSON.parse(answer.text) as JobBody).id;
}

async function cancel(ids: readonly string[]): Promise<void> {
  for (const id of ids)
    await throughIngress({ host: cluster.host, path: `/v1/jobs/${id}`, method: 'DELETE' });
}

function read(id: string): Promise<JobBody> {
  return readThroughIngress(cluster.host, `/v1/jobs/${id}`);
}

/** Pods of workers that have jobs; empty until an endpoint has heard of so many jobs. */
async function busyWith(jobs: number): Promise<string[]> {
  const { items } = await readThroughIngress<{ items: WorkerBody[] }>(cluster.host, '/v1/workers');
  const busy = items.filter((worker) => worker.jobs > 0 && worker.state === 'live');
  return busy.reduce((sum, worker) => sum + worker.jobs, 0) === jobs ? busy.map(({ host }) => host) : [];
}

describe('a HashCluster', () => {
  let ids: string[];

  test('gets more workers when work piles up', async () => {
    expect(await cluster.pods('worker')).toHaveLength(1);
    const began = performance.now();
    ids = await Promise.all(Array.from({ length: JOBS }, (_, i) => submit(`scale ${i}`, 100_000_000)));
    await cluster.until('larger', async () => (await cluster.pods('worker')).length > 1, 90);
    console.log(`more workers after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    await untilThereAre(MOST, 120);
  }, 300_000);

  test('stays as large as it is while nobody knows the CPU, and says why', async () => {
    healings.push(await stopMetricsServer());
    await apply({ by: ['work', 'cpu'] });
    await cancel(ids);
    const says = async () =>
      (await cluster.conditions()).some(
        ({ type, status, message }) =>
          type === 'ScalingLimited' && status === 'True' && /worker.*metrics/.test(message),
      );
    await cluster.until('held', says, 180);
    const limited = (await cluster.conditions()).find(({ type }) => type === 'ScalingLimited')!;
    console.log(`${limited.reason}: ${limited.message}`);
    expect(await cluster.pods('worker')).toHaveLength(MOST);
    for (const heal of healings.splice(0)) await heal();
    await untilThereAre(1, 300);
  }, 600_000);

  test('gets more workers when those that it has are busy, whatever waits', async () => {
    await apply({ by: ['cpu'] });
    ids = await Promise.all(Array.from({ length: 2 * MOST }, (_, i) => submit(`busy ${i}`, LONG)));
    await cluster.until('larger', async () => (await cluster.pods('worker')).length > 1, 180);
    await cancel(ids);
    await apply();
    await untilThereAre(1, 240);
  }, 500_000);

  test.each(RUNS)(
    'sends idle workers away and leaves those alone that are busy (run %d)',
    async (run) => {
      await apply({ min: MOST });
      await untilThereAre(MOST, 120);
      ids = [await submit(`long ${2 * run}`, LONG), await submit(`long ${2 * run + 1}`, LONG)];
      let those: string[] = [];
      await cluster.until('busy', async () => (those = await busyWith(ids.length)).length > 0, 60);
      const before = await Promise.all(ids.map(read));
      await apply();
      // Two workers of one engine each are of use to two jobs, though one can have both.
      await untilThereAre(ids.length, 180);
      expect(await cluster.pods('worker')).toEqual(expect.arrayContaining(those));
      const after = await Promise.all(ids.map(read));
      for (const [index, { state, position }] of after.entries()) {
        expect(state).toBe('running');
        expect(position).toBeGreaterThanOrEqual(before[index]!.position);
      }
      await cancel(ids);
    },
    400_000,
  );
});
