import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { sturdySpec, TestCluster } from '../lib/hash-cluster.ts';
import { audit, underLoad, type Load, type Tally } from '../lib/load.ts';
import { drain, isReady, leastUsed, lose, uncordon } from '../lib/nodes.ts';
import { installOperator } from '../lib/operator.ts';
import { runsOf } from '../lib/settings.ts';

const cluster = new TestCluster('nodes');
const MONGODB = 'app.kubernetes.io/component=mongodb';
const RUNS = runsOf();
const healings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  await installOperator();
  // A majority of MongoDB must live on the other node.
  await cluster.apply(sturdySpec(cluster.host));
  await cluster.ready();
}, 600_000);
afterEach(async () => {
  for (const heal of healings.splice(0)) await heal();
  await cluster.ready();
}, 400_000);
afterAll(() => cluster.remove(), 500_000);

/** Waits until some requests more have been answered. */
async function more(load: Load, jobs: number): Promise<void> {
  const before = load.acknowledged;
  await cluster.until('serving', () => Promise.resolve(load.acknowledged >= before + jobs), 120);
}

/** What is wrong with what was acknowledged, and requests that failed other than by a polite refusal. */
async function outcome(
  tally: Tally,
  what: string,
): Promise<{ wrong: string[]; failures: readonly string[] }> {
  const { acknowledged, refused, failures } = tally;
  const said = `${acknowledged.size} acknowledged, ${refused} refused, ${failures.length} failed`;
  console.log(`${what}: ${said}`, [...new Set(failures)].slice(0, 3));
  return { wrong: await audit(cluster.host, tally, { samples: 30, limitMs: 120_000 }), failures };
}

describe('a node', () => {
  test.each(RUNS)(
    'is drained under load, and no request fails but by a polite refusal (run %d)',
    async () => {
      const node = await leastUsed(cluster.namespace, MONGODB);
      healings.push(() => uncordon(node));
      const tally = await underLoad(cluster.host, 50, async (load) => {
        await more(load, 100);
        await drain(node);
        await more(load, 100);
      });
      expect(await outcome(tally, `${node} drained`)).toEqual({ wrong: [], failures: [] });
      await uncordon(node);
      // The next run finds pods on both nodes.
      await cluster.namespace.kubectl(['delete', 'pod', ...(await oneOfEach())]);
    },
    600_000,
  );

  test.each(['paused', 'disconnected', 'stopped'] as const)(
    'is %s under load: the others go on, and nothing that was acknowledged is lost',
    async (how) => {
      const node = await leastUsed(cluster.namespace, MONGODB);
      const tally = await underLoad(cluster.host, 10, async (load) => {
        await more(load, 50);
        healings.push(await lose(node, how));
        await cluster.until(`without ${node}`, async () => !(await isReady(node)), 120);
        await more(load, 100);
        for (const heal of healings.splice(0)) await heal();
        await cluster.ready();
      });
      expect((await outcome(tally, `${node} ${how}`)).wrong).toEqual([]);
    },
    600_000,
  );
});

/** An endpoint and a worker. */
async function oneOfEach(): Promise<string[]> {
  return [...(await cluster.pods('endpoint')).slice(0, 1), ...(await cluster.pods('worker')).slice(0, 1)];
}
