import { afterEach, describe, expect, test } from '@jest/globals';
import { chainOf } from '../jobs/digest.ts';
import type { Alive, Finished, Topic, Topics } from '../jobs/messages.ts';
import {
  Collector,
  dispatch,
  dispatches,
  gate,
  turns,
  TOPIC,
  type BusSetup,
  type BusUnderTest,
} from './bus-conformance-kit.ts';
import { BusUnavailableError, type Bus } from './bus.ts';

export type { BusSetup, BusUnderTest } from './bus-conformance-kit.ts';

/** Real servers take their time to move partitions about. */
const LIMIT_MS = 60_000;

type Open = () => Promise<Bus>;

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

/** One of each kind of message, with everything that can be in it. */
const ALIVE: Alive = {
  worker: 'w-1',
  host: 'höst',
  node: null,
  startedAt: 1_700_000_000_000,
  at: 1_700_000_000_123,
  backend: 'avx512',
  engines: 2,
  lanes: 16,
  freeLanes: 3,
  rate: 1.5e6,
  capacity: 2e6,
  jobs: 4,
  backlogSeconds: 0.25,
  positions: [{ id: dispatch(1).id, position: Number.MAX_SAFE_INTEGER }],
  cpu: 0.5,
  disk: { free: 1, total: 2 },
  draining: false,
};
const KINDS: readonly Kind[] = [
  ['jobs.0', [dispatch(1)]],
  ['jobs.3', [{ ...dispatch(2), cost: Number.MAX_SAFE_INTEGER - 1 }]],
  [
    'results',
    [
      { id: dispatch(1).id, outcome: 'done', digest: chainOf('1') },
      { id: dispatch(2).id, outcome: 'failed', digest: null },
    ],
  ],
  ['alive', [ALIVE, { ...ALIVE, node: 'n', disk: null, positions: [], draining: true }]],
  ['control', [{ kind: 'cancel', id: dispatch(1).id }]],
];

type Kind = { readonly [T in Topic]: readonly [T, readonly Topics[T][]] }[Topic];

function describeKinds(open: Open): void {
  test.each(KINDS)(
    'what is published on %s arrives as it was',
    async (topic, messages) => {
      const bus = await open();
      const got: unknown[] = [];
      const all = gate();
      await bus.subscribe(topic, { group: null, maxBatch: 10 }, async (batch) => {
        got.push(...batch.messages);
        if (got.length >= messages.length) all.open();
      });
      await bus.publish(topic, messages);
      await all.passed;
      expect(got).toHaveLength(messages.length);
      expect(got).toEqual(expect.arrayContaining([...messages]));
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

function describeCommit(open: Open): void {
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
          if (messages[0]!.cost % 2 === 0) await commit();
        }),
      );
      await bus.publish(TOPIC, dispatches(20));
      await first.untilDistinct(20);
      await leaving.close();
      await bus.subscribe(TOPIC, { group: 'g', maxBatch: 10 }, second.handler());
      const odd = dispatches(20)
        .map(({ cost }) => cost)
        .filter((cost) => cost % 2 === 1);
      await second.until(() => odd.every((cost) => second.distinct.includes(cost)));
      expect(second.distinct).toEqual(expect.arrayContaining(odd));
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

function describeLife(open: Open): void {
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
