import { expect, test } from '@jest/globals';
import { Collector, dispatch, dispatches, gate, LIMIT_MS, TOPIC, type Open } from './bus-conformance-kit.ts';

/** What comes again, and what does not. */
export function describeCommit(open: Open): void {
  test(
    'what a member has not committed when it leaves goes to another',
    async () => {
      const bus = await open();
      const [first, second] = [new Collector(), new Collector()];
      const leaving = await bus.subscribe(
        TOPIC,
        { group: 'g', maxBatch: 10 },
        first.handler(async () => {}),
      );
      await bus.publish(TOPIC, dispatches(5));
      await first.untilDistinct(5);
      await leaving.close();
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, second.handler());
      await second.untilDistinct(5);
      expect(second.distinct).toEqual([1, 2, 3, 4, 5]);
    },
    LIMIT_MS,
  );

  test(
    'a commit says nothing about an earlier batch',
    async () => {
      const bus = await open();
      const [first, second] = [new Collector(), new Collector()];
      const leaving = await bus.subscribe(
        TOPIC,
        { group: 'g', maxBatch: 1 },
        first.handler(async ({ messages, commit }) => {
          if (messages[0]!.cost % 3 === 0) await commit();
        }),
      );
      await bus.publish(TOPIC, dispatches(60));
      await first.untilDistinct(60);
      await leaving.close();
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, second.handler());
      const left = dispatches(60)
        .map(({ cost }) => cost)
        .filter((cost) => cost % 3 !== 0);
      await second.until(() => left.every((cost) => second.distinct.includes(cost)));
      expect(second.distinct).toEqual(expect.arrayContaining(left));
    },
    LIMIT_MS,
  );

  test(
    'what a member has not committed when it leaves goes to those that stay',
    async () => {
      const bus = await open();
      const [leaver, stayer] = [new Collector(), new Collector()];
      const idle = leaver.handler(async () => {});
      const leaving = await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, idle);
      await bus.publish(TOPIC, dispatches(5));
      await leaver.untilDistinct(5);
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, stayer.handler());
      await leaving.close();
      await stayer.untilDistinct(5);
      expect(stayer.distinct).toEqual([1, 2, 3, 4, 5]);
    },
    LIMIT_MS,
  );

  test(
    'what was committed does not come again',
    async () => {
      const bus = await open();
      const [first, second] = [new Collector(), new Collector()];
      const committed = gate();
      const handler = first.handler(async (batch) => {
        await batch.commit();
        if (first.distinct.length === 5) committed.open();
      });
      const leaving = await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, handler);
      await bus.publish(TOPIC, dispatches(5));
      await committed.passed;
      await leaving.close();
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, second.handler());
      await bus.publish(TOPIC, [dispatch(6)]);
      await second.until(() => second.distinct.includes(6));
      expect(second.distinct).toEqual([6]);
    },
    LIMIT_MS,
  );

  test.each(['g', null])(
    'group %s: a batch whose handler fails comes again',
    async (group) => {
      const bus = await open();
      const got = new Collector();
      let failures = 0;
      const handler = got.handler(async (batch) => {
        if (failures++ < 2) throw new Error('not now');
        await batch.commit();
      });
      await bus.subscribe(TOPIC, { group, maxBatch: 10 }, handler);
      await bus.publish(TOPIC, dispatches(3));
      await got.until(
        () => failures > 2 && [1, 2, 3].every((cost) => got.costs.filter((each) => each === cost).length > 1),
      );
      expect(got.distinct).toEqual([1, 2, 3]);
    },
    LIMIT_MS,
  );

  test(
    'what was committed before the handler failed does not come again',
    async () => {
      const bus = await open();
      const got = new Collector();
      const handler = got.handler(async (batch) => {
        await batch.commit();
        if (got.batches.length === 1) throw new Error('after the commit');
      });
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 1 }, handler);
      await bus.publish(TOPIC, [dispatch(1)]);
      await got.untilDistinct(1);
      await bus.publish(TOPIC, [dispatch(2)]);
      await got.untilDistinct(2);
      expect(got.costs).toEqual([1, 2]);
    },
    LIMIT_MS,
  );
}
