import { afterEach, describe, expect, test } from '@jest/globals';
import { Collector, dispatches, LIMIT_MS, TOPIC, type BusUnderTest } from './bus-conformance-kit.ts';
import type { Bus } from './bus.ts';

/** Opens a started bus. Those with the same `place` have their topics in common. Null: a bus that does not say its database. */
export type OpenOnDatabase = (place: string, databaseId: string | null) => Promise<BusUnderTest>;

const [OWN, OTHER] = ['0123abcd', 'fedc9876'];

/** What every `Bus` does that several processes share, where they could be on different databases. */
export function describeDatabases(title: string, openBus: OpenOnDatabase): void {
  describe(title, () => {
    const opened: BusUnderTest[] = [];
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    }, LIMIT_MS);
    let places = 0;
    const openAll = async (...ids: readonly (string | null)[]): Promise<Bus[]> => {
      const place = `place-${++places}`;
      const buses: Bus[] = [];
      for (const id of ids) {
        const found = await openBus(place, id);
        opened.push(found);
        buses.push(found.bus);
      }
      return buses;
    };

    test.each(['g', null])(
      'group %s: messages of another database are dropped and named, all others come',
      async (group) => {
        const [own, other, unnamed] = (await openAll(OWN, OTHER, null)) as [Bus, Bus, Bus];
        const got = new Collector();
        await own.subscribe(TOPIC, { group, maxBatch: 100 }, got.handler());
        await other.publish(TOPIC, dispatches(20));
        await unnamed.publish(TOPIC, dispatches(20, 101));
        await own.publish(TOPIC, dispatches(20, 201));
        await got.untilDistinct(40);
        expect(got.distinct).toEqual(
          [...dispatches(20, 101), ...dispatches(20, 201)].map(({ cost }) => cost),
        );
        expect(own.trouble()).toContain(`messages of another database (${OTHER}) arrive`);
      },
      LIMIT_MS,
    );

    test(
      'a bus that does not know its database accepts all messages, as they were',
      async () => {
        const [unnamed, other] = (await openAll(null, OTHER)) as [Bus, Bus];
        const got = new Collector();
        await unnamed.subscribe(TOPIC, { group: 'g', maxBatch: 100 }, got.handler());
        await other.publish(TOPIC, dispatches(20));
        await got.untilDistinct(20);
        expect(got.batches.flat().toSorted((a, b) => a.cost - b.cost)).toEqual(dispatches(20));
        expect(unnamed.trouble()).toBeNull();
      },
      LIMIT_MS,
    );
  });
}
