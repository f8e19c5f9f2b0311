import { afterEach, describe, expect, test } from '@jest/globals';
import type { Finished } from '../jobs/messages.ts';
import { describeCommit } from './bus-conformance-commit.ts';
import {
  Collector,
  dispatch,
  dispatches,
  gate,
  LIMIT_MS,
  TOPIC,
  type Open,
  type BusSetup,
  type BusUnderTest,
} from './bus-conformance-kit.ts';
import { describeKinds } from './bus-conformance-kinds.ts';
import { describeLife } from './bus-conformance-life.ts';

export type { BusSetup, BusUnderTest } from './bus-conformance-kit.ts';

/**
 * What every `Bus` has to do, whatever it is made of. `setup` gives a started bus with topics and groups of its own.
 * Messages may come more than once wherever something failed or somebody left, and in any order across batches.
 */
export function describeBus(title: string, setup: BusSetup): void {
  describe(title, () => {
    const opened: BusUnderTest[] = [];
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    }, LIMIT_MS);
    const open: Open = async () => {
      const found = await setup();
      opened.push(found);
      return found.bus;
    };
    describeSharing(open);
    describeKinds(open);
    describeBatches(open);
    describeCommit(open);
    describeLife(open);
  });
}

function describeSharing(open: Open): void {
  test(
    'members of a group share the messages among them',
    async () => {
      const bus = await open();
      const [one, two] = [new Collector(), new Collector()];
      const both = (): number[] => [...one.distinct, ...two.distinct].toSorted((a, b) => a - b);
      for (const each of [one, two]) {
        await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, each.handler());
      }
      await bus.publish(TOPIC, dispatches(100));
      const all = dispatches(100).map(({ cost }) => cost);
      const enough = (): boolean => new Set(both()).size === 100;
      await Promise.race([one.until(enough), two.until(enough)]);
      expect([...new Set(both())]).toEqual(all);
    },
    LIMIT_MS,
  );

  test(
    'each group gets every message, as it was published',
    async () => {
      const bus = await open();
      const groups = [new Collector(), new Collector()];
      for (const [number, each] of groups.entries()) {
        await bus.subscribe(TOPIC, { group: `g${number}`, maxBatch: 100 }, each.handler());
      }
      await bus.publish(TOPIC, dispatches(50));
      for (const each of groups) {
        await each.untilDistinct(50);
        const byCost = each.batches.flat().toSorted((a, b) => a.cost - b.cost);
        expect(byCost).toEqual(dispatches(50));
      }
    },
    LIMIT_MS,
  );

  test(
    'without a group, every subscriber gets every message from then on',
    async () => {
      const bus = await open();
      const early = new Collector();
      await bus.subscribe(TOPIC, { group: null, maxBatch: 100 }, early.handler());
      await bus.publish(TOPIC, dispatches(5));
      await early.untilDistinct(5);
      const late = new Collector();
      await bus.subscribe(TOPIC, { group: null, maxBatch: 100 }, late.handler());
      await bus.publish(TOPIC, dispatches(5, 6));
      await Promise.all([early.untilDistinct(10), late.untilDistinct(5)]);
      expect(late.distinct).toEqual([6, 7, 8, 9, 10]);
    },
    LIMIT_MS,
  );

  test(
    'topics are apart',
    async () => {
      const bus = await open();
      const finished: Finished[] = [];
      const got = gate();
      const jobs = new Collector();
      await bus.subscribe(TOPIC, { group: null, maxBatch: 10 }, jobs.handler());
      await bus.subscribe('results', { group: null, maxBatch: 10 }, async ({ messages }) => {
        finished.push(...messages);
        got.open();
      });
      const result: Finished = { id: dispatch(1).id, outcome: 'cancelled', digest: null };
      await bus.publish('results', [result]);
      await bus.publish(TOPIC, [dispatch(2)]);
      await Promise.all([got.passed, jobs.untilDistinct(1)]);
      expect(finished).toEqual([result]);
      expect(jobs.distinct).toEqual([2]);
    },
    LIMIT_MS,
  );
}

function describeBatches(open: Open): void {
  test.each(['g', null])(
    'group %s: no batch has more messages than were asked for, and none is empty',
    async (group) => {
      const bus = await open();
      const got = new Collector();
      await bus.subscribe(TOPIC, { group, maxBatch: 7 }, got.handler());
      await bus.publish(TOPIC, dispatches(100));
      await got.untilDistinct(100);
      const sizes = got.batches.map((batch) => batch.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(7);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  test.each(['g', null])(
    'group %s: a handler is called again when it has finished, not before',
    async (group) => {
      const bus = await open();
      const got = new Collector();
      let inside = 0;
      let most = 0;
      const handler = got.handler(async (batch) => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        await batch.commit();
      });
      await bus.subscribe(TOPIC, { group, maxBatch: 2 }, handler);
      for (const each of dispatches(20)) await bus.publish(TOPIC, [each]);
      await got.untilDistinct(20);
      expect(most).toBe(1);
    },
    LIMIT_MS,
  );

  test(
    'a handler may publish',
    async () => {
      const bus = await open();
      const got = new Collector();
      const handler = got.handler(async (batch) => {
        const next = batch.messages.filter(({ cost }) => cost < 5).map(({ cost }) => dispatch(cost + 1));
        await bus.publish(TOPIC, next);
        await batch.commit();
      });
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, handler);
      await bus.publish(TOPIC, [dispatch(1)]);
      await got.untilDistinct(5);
      expect(got.distinct).toEqual([1, 2, 3, 4, 5]);
    },
    LIMIT_MS,
  );

  test(
    'many messages all come',
    async () => {
      const bus = await open();
      const got = new Collector();
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 500 }, got.handler());
      const all = dispatches(5_000);
      await Promise.all(
        [0, 1, 2, 3, 4].map((part) => bus.publish(TOPIC, all.slice(part * 1_000, (part + 1) * 1_000))),
      );
      await got.untilDistinct(5_000);
      expect(got.distinct).toHaveLength(5_000);
    },
    LIMIT_MS,
  );
}
