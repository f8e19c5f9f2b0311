import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Random } from '../../faults/random.ts';
import { TestCluster } from '../lib/hash-cluster.ts';
import { installOperator } from '../lib/operator.ts';
import { walkOf } from '../lib/settings.ts';
import { refuseBudgets, specOf } from '../lib/steps.ts';
import { describeStep, walk } from '../lib/walk.ts';
import { Walker } from '../lib/walker.ts';

const cluster = new TestCluster('walk');
const walker = new Walker(cluster);
const START = { members: 3, claims: 3 };
const { steps: count, seed } = walkOf();
const { steps, models } = walk(new Random(seed), START, count);
const STEP_MS = 1_800_000;
/** So long an action fails until the status is looked at, in milliseconds. */
const FAILS_MS = 60_000;

beforeAll(async () => {
  await installOperator();
  await cluster.apply(specOf(cluster, START.members));
  await cluster.ready(600);
  walker.start();
}, 900_000);
afterAll(async () => {
  await walker.stop();
  await cluster.apply({ ...specOf(cluster, 1), deletionPolicy: 'Delete' });
  await cluster.remove();
}, 500_000);

describe(`the data of MongoDB, on a random walk (SEED=${seed} STEPS=${count})`, () => {
  let isBroken = false;
  test.each(steps.map((step, index) => ({ number: index + 1, says: describeStep(step), step })))(
    'step $number: $says',
    async ({ number, says, step }) => {
      // Nothing can be said of what follows a step that failed.
      expect({ isBroken }).toEqual({ isBroken: false });
      isBroken = true;
      const report = await walker.step(String(number), step, models[number - 1]!);
      console.log(`SEED=${seed} step ${number}: ${says}: ${report.says}`);
      expect(report.problems).toEqual([]);
      isBroken = false;
    },
    STEP_MS,
  );

  test('all jobs are there that were acknowledged and not said to be lost', async () => {
    expect(await walker.lost()).toEqual([]);
  }, 600_000);
});

describe('what the operator cannot do', () => {
  test('makes the HashCluster not ready after 30 s, and the runbook says why', async () => {
    const began = Date.now();
    const allow = await refuseBudgets(cluster);
    try {
      const fails = async () =>
        (await walker.failing(began)).spans.some(({ from, to }) => to - from >= FAILS_MS);
      await cluster.until('failing', fails, 300);
      expect((await walker.failing(began)).problems).toEqual([]);
      await walker.follow('ActionFailing');
    } finally {
      await allow();
    }
    await cluster.ready(300);
  }, 900_000);
});
