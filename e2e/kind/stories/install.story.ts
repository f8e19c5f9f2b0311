import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { iterated } from '../lib/hash.ts';
import { reachable, TestCluster } from '../lib/hash-cluster.ts';
import { opensThroughIngress, submitThroughIngress, throughIngress } from '../lib/ingress.ts';
import { installOperator, operatorMemory, restartOperator } from '../lib/operator.ts';

/** Envoy ends an answer after 15 s unless it is told otherwise. */
const PATIENCE_SECONDS = 20;
/** For an operator with nothing to do. */
const MEMORY_BYTES = 100e6;

const cluster = new TestCluster('first');
beforeAll(async () => {
  await installOperator();
  // It may have seen many HashClusters of other stories by now, and its memory is measured here.
  await restartOperator();
}, 400_000);
afterAll(() => cluster.remove(), 500_000);

describe('a user who has just installed the chart', () => {
  test('gets a whole HashCluster, with its own MongoDB and Kafka, from a short manifest', async () => {
    await cluster.apply(reachable(cluster.host));
    const tookMs = await cluster.ready(400);
    console.log(`ready after ${(tookMs / 1_000).toFixed(1)} s`);
    const parts = ['endpoint', 'worker', 'mongodb', 'kafka'] as const;
    const pods = await Promise.all(parts.map((part) => cluster.pods(part)));
    expect(pods.map(({ length }) => length)).toEqual([2, 2, 3, 3]);
  }, 450_000);

  test.each([1, 5_000, 3_000_000])(
    'gets the right digest of %d iterations through the ingress',
    async (n) => {
      const job = await submitThroughIngress(cluster.host, 'hello', n);
      expect(job).toMatchObject({ state: 'done', digest: iterated('hello', n) });
    },
    120_000,
  );

  test('waits for a result, and follows its events, for longer than proxies do by default', async () => {
    const { host } = cluster;
    const began = performance.now();
    const answer = await throughIngress({
      ...{ host, path: '/v1/jobs', method: 'POST', body: JSON.stringify({ data: 'long', iterations: 1e12 }) },
      headers: { 'content-type': 'application/json', prefer: `wait=${PATIENCE_SECONDS}` },
    });
    expect(answer.status).toBe(202);
    expect(performance.now() - began).toBeGreaterThan((PATIENCE_SECONDS - 1) * 1_000);
    const { id } = JSON.parse(answer.text) as { id: string };
    const events = { host, path: `/v1/jobs/${id}/events`, headers: { accept: 'text/event-stream' } };
    expect(await opensThroughIngress(events, PATIENCE_SECONDS * 1_000)).toBe(PATIENCE_SECONDS * 1_000);
    await throughIngress({ host, path: `/v1/jobs/${id}`, method: 'DELETE' });
  }, 120_000);

  test('is told that a path does not work at this ingress controller', async () => {
    const { ingress } = reachable(cluster.host) as { ingress: object };
    await cluster.apply({ ingress: { ...ingress, path: '/hash' } });
    const warns = async () =>
      (await cluster.conditions()).some(({ reason }) => reason === 'IngressPathUnsupported');
    await cluster.until('warned', warns, 60);
    await cluster.apply({ ingress });
    await cluster.ready();
  }, 450_000);

  test('has an operator that needs less than 100 MB for itself', async () => {
    let memory = await operatorMemory();
    // What the work above has left behind is collected while it rests.
    for (let looks = 1; looks < 5 && memory.residentBytes >= MEMORY_BYTES; looks += 1)
      memory = await operatorMemory();
    const { rssBytes, workingSetBytes, residentBytes } = memory;
    const figures = { 'of its own': rssBytes, 'working set': workingSetBytes, resident: residentBytes };
    const megabytes = Object.entries(figures).map(
      ([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(0)} MB`,
    );
    console.log(`operator: ${megabytes.join(', ')}`);
    expect(Math.max(rssBytes, residentBytes)).toBeLessThan(MEMORY_BYTES);
  }, 500_000);

  test('sees pods that pass Pod Security restricted, and none with a token of the API server', async () => {
    const pods = await cluster.namespace.list('pods');
    const tokens = pods.filter(({ spec }) => JSON.stringify(spec).includes('serviceAccountToken'));
    expect(tokens).toEqual([]);
  });
});
