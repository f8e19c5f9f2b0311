import { expect, test } from '@jest/globals';
import {
  Collector,
  dispatch,
  dispatches,
  gate,
  LIMIT_MS,
  turns,
  TOPIC,
  type Open,
} from './bus-conformance-kit.ts';
import { BusUnavailableError } from './bus.ts';

/** Pausing, closing and stopping. */
export function describeLife(open: Open): void {
  test.each(['g', null])(
    'group %s: a paused subscription gets nothing until it is resumed, and then all of it',
    async (group) => {
      const bus = await open();
      const [paused, witness] = [new Collector(), new Collector()];
      const subscription = await bus.subscribe(TOPIC, { group, maxBatch: 10 }, paused.handler());
      await bus.subscribe(TOPIC, { group: 'witness', maxBatch: 100 }, witness.handler());
      subscription.pause();
      subscription.pause();
      await bus.publish(TOPIC, dispatches(20));
      await witness.untilDistinct(20);
      expect(paused.batches).toEqual([]);
      subscription.resume();
      subscription.resume();
      await paused.untilDistinct(20);
      expect(paused.distinct).toHaveLength(20);
    },
    LIMIT_MS,
  );

  test.each(['g', null])(
    'group %s: a handler that pauses its subscription gets nothing more until it is resumed',
    async (group) => {
      const bus = await open();
      const [paused, witness] = [new Collector(), new Collector()];
      const handler = paused.handler(async (batch) => {
        subscription.pause();
        await batch.commit();
      });
      const subscription = await bus.subscribe(TOPIC, { group, maxBatch: 1 }, handler);
      await bus.subscribe(TOPIC, { group: 'witness', maxBatch: 100 }, witness.handler());
      await bus.publish(TOPIC, dispatches(3));
      await Promise.all([witness.untilDistinct(3), paused.untilDistinct(1)]);
      for (const count of [1, 2, 3]) {
        await paused.untilDistinct(count);
        await turns();
        expect(paused.costs).toHaveLength(count);
        subscription.resume();
      }
    },
    LIMIT_MS,
  );

  test.each(['g', null])(
    'group %s: closing waits for the handler, and nothing comes after',
    async (group) => {
      const bus = await open();
      const [closing, witness] = [new Collector(), new Collector()];
      const hold = gate();
      let finished = false;
      const handler = closing.handler(async (batch) => {
        await hold.passed;
        finished = true;
        await batch.commit();
      });
      const subscription = await bus.subscribe(TOPIC, { group, maxBatch: 10 }, handler);
      await bus.subscribe(TOPIC, { group: 'witness', maxBatch: 100 }, witness.handler());
      await bus.publish(TOPIC, [dispatch(1)]);
      await closing.untilDistinct(1);
      const closed = Promise.all([subscription.close(), subscription.close()]).then(() => finished);
      await turns();
      hold.open();
      expect(await closed).toBe(true);
      await subscription.close();
      await bus.publish(TOPIC, [dispatch(2)]);
      await witness.untilDistinct(2);
      expect(closing.distinct).toEqual([1]);
    },
    LIMIT_MS,
  );

  test(
    'publishing nothing is no trouble',
    async () => {
      const bus = await open();
      await bus.publish(TOPIC, []);
      expect(bus.trouble()).toBeNull();
    },
    LIMIT_MS,
  );

  test(
    'a bus that was stopped says so; starting and stopping again changes nothing',
    async () => {
      const bus = await open();
      await bus.start();
      expect(bus.trouble()).toBeNull();
      await Promise.all([bus.stop(), bus.stop()]);
      await bus.stop();
      expect(bus.trouble()).toEqual(expect.any(String));
      await expect(bus.publish(TOPIC, [dispatch(1)])).rejects.toThrow(BusUnavailableError);
      const subscribed = bus.subscribe(TOPIC, { group: null, maxBatch: 1 }, async () => {});
      await expect(subscribed).rejects.toThrow(BusUnavailableError);
    },
    LIMIT_MS,
  );

  test(
    'stopping waits for handlers',
    async () => {
      const bus = await open();
      const got = new Collector();
      const hold = gate();
      let finished = false;
      const handler = got.handler(async (batch) => {
        await hold.passed;
        await batch.commit();
        finished = true;
      });
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 1 }, handler);
      await bus.publish(TOPIC, [dispatch(1)]);
      await got.untilDistinct(1);
      const stopped = bus.stop().then(() => finished);
      await turns();
      hold.open();
      expect(await stopped).toBe(true);
    },
    LIMIT_MS,
  );
}
