import { expect, test } from '@jest/globals';
import { type Scene, until } from '../testing/stage.ts';
import { withStage } from '../testing/suites.ts';
import { together } from '../testing/together.ts';

const AT_ONCE = 4;
const TEST_MS = 600_000;

/** Source: Sieve (OSDI 2022), "intermediate states". */
withStage('an operator that is killed', (stage) => {
  /** Kills it after so many writes, starts another one, and gives back what there is in the end. */
  async function killedAfter(k: number, scene: Scene, expected: Record<string, unknown>) {
    let seen = 0;
    const victim = await scene.operate({ survivesWrite: () => ++seen < k });
    await scene.clusters.create('demo', {});
    const wasKilled = await until(() => Promise.resolve(victim.proxy.isCut));
    await victim.stop();
    await scene.operate();
    const is = await scene.becomes('demo', expected);
    await scene.end();
    return { k, wasKilled, is };
  }

  test(
    'after any of its writes leaves nothing behind that the next one does not finish',
    async () => {
      const calm = await stage().scene('undisturbed');
      const { proxy } = await calm.operate();
      await calm.clusters.create('demo', {});
      const expected = await calm.settled('demo');
      await calm.end();
      // What it says in its status depends on who is faster; each object is written once.
      const count = proxy.writes.filter(({ path }) => !path.includes('/status?')).length;
      expect(count).toBeGreaterThan(20);
      const all = Array.from({ length: count }, (_, index) => index + 1);
      await together(all, AT_ONCE, async (k) => {
        const outcome = await killedAfter(k, await stage().scene(`killed-${k}`), expected);
        expect(outcome).toEqual({ k, wasKilled: true, is: expected });
      });
    },
    TEST_MS,
  );
});
