import { describe, expect, test } from '@jest/globals';
import { Collector, dispatch, dispatches, gate, TOPIC } from '../../ports/bus-conformance-kit.ts';
import { describeBus } from '../../ports/bus-conformance.ts';
import { restMs } from './bus/member.ts';
import { createMemoryBus } from './memory-bus.ts';
import { recordingLogger } from './testing/kit.ts';

describeBus('the bus in memory', async () => {
  const bus = createMemoryBus({ logger: recordingLogger() });
  await bus.start();
  return { bus, close: () => bus.stop() };
});

async function openBus(maxWaiting = 100) {
  const logger = recordingLogger();
  const bus = createMemoryBus({ logger, maxWaiting });
  await bus.start();
  const logged = (message: string) => logger.records.filter((record) => record.message === message);
  return { bus, logged };
}

describe('the bus in memory, by itself', () => {
  test('hands nothing over inside the call that publishes', async () => {
    const { bus } = await openBus();
    const got = new Collector();
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, got.handler());
    const published = bus.publish(TOPIC, [dispatch(1)]);
    expect(got.batches).toEqual([]);
    await published;
    await got.untilDistinct(1);
    await bus.stop();
  });

  test('hands over what was published in one turn together, in order', async () => {
    const { bus } = await openBus();
    const got = new Collector();
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, got.handler());
    await Promise.all(dispatches(5).map((each) => bus.publish(TOPIC, [each])));
    await got.untilDistinct(5);
    expect(got.batches).toEqual([dispatches(5)]);
    await bus.stop();
  });

  test('gives batches to the members of a group in turn', async () => {
    const { bus } = await openBus();
    const members = [new Collector(), new Collector(), new Collector()];
    for (const each of members) await bus.subscribe(TOPIC, { group: 'g', maxBatch: 2 }, each.handler());
    await bus.publish(TOPIC, dispatches(12));
    await Promise.all(members.map((each) => each.untilDistinct(4)));
    expect(members.map((each) => each.costs.length)).toEqual([4, 4, 4]);
    await bus.stop();
  });

  test('lets the member go first that has waited longest', async () => {
    const { bus } = await openBus();
    const members = [new Collector(), new Collector(), new Collector()];
    const all = (): number => members.reduce((sum, each) => sum + each.costs.length, 0);
    for (const each of members) await bus.subscribe(TOPIC, { group: 'g', maxBatch: 2 }, each.handler());
    for (const [number, each] of dispatches(6).entries()) {
      await bus.publish(TOPIC, [each]);
      await Promise.race(members.map((member) => member.until(() => all() > number)));
    }
    expect(members.map((each) => each.costs)).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    await bus.stop();
  });

  test('a group without members keeps what it has no room for to the store: the oldest stay', async () => {
    const { bus, logged } = await openBus(10);
    const first = await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, async () => {});
    await first.close();
    await bus.publish(TOPIC, dispatches(8));
    await bus.publish(TOPIC, dispatches(8, 9));
    await bus.publish(TOPIC, dispatches(8, 17));
    expect(logged('bus drops messages')).toHaveLength(1);
    const got = new Collector();
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 3 }, got.handler());
    await got.untilDistinct(10);
    expect(got.distinct).toEqual(dispatches(10).map(({ cost }) => cost));
    expect(logged('bus keeps up again')).toMatchObject([{ fields: { dropped: 14 } }]);
    await bus.publish(TOPIC, dispatches(20, 100));
    await got.untilDistinct(20);
    expect(logged('bus drops messages')).toHaveLength(2);
    await bus.stop();
  });

  test('a subscriber to everything that lags gets the newest', async () => {
    const { bus, logged } = await openBus(10);
    const got = new Collector();
    const subscription = await bus.subscribe(TOPIC, { group: null, maxBatch: 100 }, got.handler());
    subscription.pause();
    await bus.publish(TOPIC, dispatches(8));
    await bus.publish(TOPIC, dispatches(25, 9));
    expect(logged('bus drops messages')).toHaveLength(1);
    subscription.resume();
    await got.untilDistinct(10);
    expect(got.distinct).toEqual(dispatches(10, 24).map(({ cost }) => cost));
    expect(logged('bus keeps up again')).toMatchObject([{ fields: { dropped: 23 } }]);
    await bus.stop();
  });

  test('what is in hand and not committed counts as waiting', async () => {
    const { bus } = await openBus(10);
    const lazy = new Collector();
    const subscription = await bus.subscribe(
      TOPIC,
      { group: 'g', maxBatch: 6 },
      lazy.handler(async () => {}),
    );
    await bus.publish(TOPIC, dispatches(6));
    await lazy.untilDistinct(6);
    await bus.publish(TOPIC, dispatches(6, 7));
    await lazy.untilDistinct(10);
    await subscription.close();
    const got = new Collector();
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 100 }, got.handler());
    await got.untilDistinct(10);
    expect(got.costs).toEqual(dispatches(10).map(({ cost }) => cost));
    await bus.stop();
  });

  test('a failed batch is taken at once by another member, in front of what waits', async () => {
    const { bus, logged } = await openBus();
    const [broken, sound] = [new Collector(), new Collector()];
    const failing = broken.handler(async () => {
      throw new Error('broken');
    });
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 2 }, failing);
    await bus.publish(TOPIC, dispatches(4));
    await broken.untilDistinct(2);
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 2 }, sound.handler());
    await sound.untilDistinct(4);
    expect(sound.costs).toEqual([1, 2, 3, 4]);
    expect(logged('bus handler failed')).toMatchObject([
      { fields: { messages: 2, again: true, failures: 1 } },
    ]);
    await bus.stop();
  });

  test('a handler that fails without a promise is treated alike', async () => {
    const { bus, logged } = await openBus();
    const got = new Collector();
    const handler = got.handler();
    let calls = 0;
    await bus.subscribe(TOPIC, { group: null, maxBatch: 2 }, (batch) => {
      if (++calls === 1) throw new Error('at once');
      return handler(batch);
    });
    await bus.publish(TOPIC, dispatches(2));
    await got.untilDistinct(2);
    expect(logged('bus handler failed')).toHaveLength(1);
    await bus.stop();
  });

  test('stops while a member rests, and leaves no timer behind', async () => {
    const { bus } = await openBus();
    const failed = gate();
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 1 }, async () => {
      setImmediate(failed.open);
      throw new Error('broken');
    });
    await bus.publish(TOPIC, [dispatch(1)]);
    await failed.passed;
    const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    await bus.stop();
    expect(timers()).toBe(before - 1);
  });

  test('begins empty after a stop', async () => {
    const { bus } = await openBus();
    const first = await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, async () => {});
    first.pause();
    await bus.publish(TOPIC, dispatches(3));
    await bus.stop();
    await bus.start();
    const got = new Collector();
    await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, got.handler());
    await bus.publish(TOPIC, [dispatch(9)]);
    await got.untilDistinct(1);
    expect(got.costs).toEqual([9]);
    await bus.stop();
  });
});

describe('the rest after failures', () => {
  test.each([
    { failures: 1, least: 25, most: 50 },
    { failures: 2, least: 50, most: 100 },
    { failures: 5, least: 400, most: 800 },
    { failures: 8, least: 2_500, most: 5_000 },
    { failures: 1_000, least: 2_500, most: 5_000 },
  ])('after $failures is between $least and $most ms', ({ failures, least, most }) => {
    expect(restMs(failures, 0)).toBe(least);
    expect(restMs(failures, 1)).toBe(most);
  });
});
