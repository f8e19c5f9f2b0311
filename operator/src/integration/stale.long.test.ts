import { expect, test } from '@jest/globals';
import { type Scene, until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';
import { together } from '../testing/together.ts';

const AT_ONCE = 4;
const TEST_MS = 600_000;
/** Rounds over a cluster as it was, before its operator hears what has become of it. */
const ROUNDS = 2;

/** Source: Sieve (OSDI 2022), "stale states". */
withStage('an operator whose API server lags behind', (stage) => {
  /**
   * Starts an operator that sees what there was at a resource version, and lets it catch up after some rounds. Gives back
   * how much it has written until then.
   */
  async function operateInThePast(scene: Scene, listsAsOf: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { proxy, rounds } = await scene.operate({ listsAsOf, eventsAfter: promise });
    expect(await until(() => Promise.resolve(rounds() >= ROUNDS))).toBe(true);
    const { length } = proxy.writes;
    proxy.faults = {};
    resolve(undefined);
    return length;
  }

  test(
    'does no harm, from whatever moment of the past it begins',
    async () => {
      const calm = await stage().scene('calm');
      const first = await calm.operate();
      await calm.clusters.create('demo', {});
      const expected = await calm.settled('demo');
      await first.stop();
      const moments = Array.from({ length: 12 }, (_, index) =>
        Math.floor((index * first.proxy.writes.length) / 12),
      );
      await together(moments, AT_ONCE, async (moment) => {
        const scene = await stage().scene(`moment-${moment}`);
        const before = await scene.operate();
        await scene.clusters.create('demo', {});
        await scene.settled('demo');
        await before.stop();
        const written = await operateInThePast(scene, before.proxy.writes[moment]!.revision);
        // It believed that nearly everything was missing.
        if (moment === 0) expect(written).toBeGreaterThan(20);
        const is = await scene.becomes('demo', expected);
        await scene.end();
        expect({ moment, is }).toEqual({ moment, is: expected });
      });
    },
    TEST_MS,
  );

  test(
    'takes no cluster for another one that had its name before',
    async () => {
      const scene = await stage().scene('namesake');
      const before = await scene.operate();
      await scene.clusters.create('demo', {});
      const expected = await scene.settled('demo');
      const { revision } = before.proxy.writes.at(-1)!;
      await scene.clusters.remove('demo');
      expect(await until(async () => (await scene.clusters.all()).length === 0)).toBe(true);
      await before.stop();
      await scene.controllers.collectGarbage();
      const { metadata } = await scene.clusters.create('demo', {});
      await operateInThePast(scene, revision);
      const is = await scene.becomes('demo', expected);
      expect(is).toEqual(expected);
      const owners = await scene.controllers.owners();
      expect(owners).toEqual([metadata.uid]);
    },
    TEST_MS,
  );
});
