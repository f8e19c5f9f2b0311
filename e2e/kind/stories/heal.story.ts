import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkerBody } from '../../lib/client.ts';
import { cutBetween } from '../lib/cut.ts';
import { smallSpec, TestCluster } from '../lib/hash-cluster.ts';
import { readThroughIngress } from '../lib/ingress.ts';
import { installOperator } from '../lib/operator.ts';

const cluster = new TestCluster('heal');
const WORKERS = 4;
const healings: (() => Promise<void>)[] = [];

const SILENT_SECONDS = 20;
const SPEC = {
  ...smallSpec(cluster.host),
  worker: {
    replicas: { min: WORKERS, max: WORKERS },
    resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { cpu: '250m', memory: '384Mi' } },
  },
  healing: { silentSeconds: SILENT_SECONDS },
};

beforeAll(async () => {
  await installOperator();
  await cluster.apply(SPEC);
  await cluster.ready();
}, 600_000);
afterEach(async () => {
  for (const heal of healings.splice(0)) await heal();
});
afterAll(() => cluster.remove(), 500_000);

async function addressOf(pod: string): Promise<string> {
  const found = await cluster.namespace.find('pod', pod);
  return (found?.status as { podIP?: string } | undefined)?.podIP ?? '';
}

/** Cuts pods off from Kafka: the kubelet finds nothing wrong with them. */
async function cutOff(pods: readonly string[]): Promise<void> {
  const [kafka] = await cluster.pods('kafka');
  const there = await addressOf(kafka!);
  for (const pod of pods) healings.push(await cutBetween(await addressOf(pod), there));
}

/** Whether these pods have missed their heartbeats for so long, by whichever endpoint answers. */
async function areSilent(pods: readonly string[], seconds: number): Promise<boolean> {
  const ask = async (): Promise<readonly WorkerBody[]> =>
    (await readThroughIngress<{ items: WorkerBody[] }>(cluster.host, '/v1/workers')).items;
  const answers = await Promise.all(Array.from({ length: 6 }, ask));
  const isHeard = ({ host, silentSeconds }: WorkerBody): boolean =>
    pods.includes(host) && silentSeconds < seconds;
  return !answers.some((workers) => workers.some(isHeard));
}

describe('workers that are ready to the kubelet, and that nobody hears', () => {
  test('are replaced, when it is one', async () => {
    const before = await cluster.pods('worker');
    await cutOff(before.slice(0, 1));
    const began = performance.now();
    await cluster.until('rid of it', async () => !(await cluster.pods('worker')).includes(before[0]!), 180);
    console.log(`replaced after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    await cluster.until('whole', async () => (await cluster.pods('worker')).length === WORKERS, 60);
    expect((await cluster.pods('worker')).filter((name) => before.includes(name))).toHaveLength(WORKERS - 1);
    await cluster.ready();
  }, 400_000);

  test('are left alone, when it is half of them, and the status says why', async () => {
    const before = await cluster.pods('worker');
    const half = before.slice(0, WORKERS / 2);
    // Otherwise one is found silent a little earlier than the other, and it alone is replaced.
    await cluster.apply({ ...SPEC, paused: true });
    await cutOff(half);
    await cluster.until('without heartbeats of them', () => areSilent(half, SILENT_SECONDS + 5), 120);
    await cluster.apply({ ...SPEC, paused: false });
    await cluster.until(
      'degraded',
      async () =>
        (await cluster.conditions()).some(
          ({ type, status, message }) =>
            type === 'Degraded' && status === 'True' && half.every((pod) => message.includes(pod)),
        ),
      180,
    );
    const degraded = (await cluster.conditions()).find(({ type }) => type === 'Degraded')!;
    console.log(`Degraded: ${degraded.reason}: ${degraded.message}`);
    expect(degraded.message).toMatch(/cut off|ill/);
    expect(await cluster.pods('worker')).toEqual(before);
  }, 300_000);
});
