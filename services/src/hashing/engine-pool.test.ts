import { afterEach, describe, expect, test } from '@jest/globals';
import { hash } from 'node:crypto';
import { chainOf } from '../jobs/digest.ts';
import type { HashState, HashTask } from '../ports/hasher.ts';
import { EnginePool } from './engine-pool.ts';
import { availableBackends, chooseBackend, openKernel } from './select.ts';

/** Waiting for chains to end takes at most this long, in milliseconds. */
const LIMIT_MS = 20_000;

function iterate(digest: string, steps: number): string {
  let value = Buffer.from(digest, 'hex');
  for (let i = 0; i < steps; i++) value = hash('sha512', value, 'buffer');
  return value.toString('hex');
}

const task = (key: string, target: number, position = 1): HashTask => ({
  key,
  target,
  position,
  digest: chainOf(key),
});

const pools: EnginePool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

async function setup(engines = 2, sliceMs = 20) {
  const { name, reason } = chooseBackend(availableBackends());
  const { lanes } = openKernel(name);
  const pool = new EnginePool({ backend: name, reason, cpu: 'test', features: [], engines, lanes, sliceMs });
  pools.push(pool);
  const finished = new Map<string, HashState>();
  const progress: HashState[] = [];
  const faults: Error[] = [];
  let look = (): void => {};
  await pool.start({
    progress: (batch) => void (progress.push(...batch), look()),
    finished: (batch) => {
      for (const state of batch) finished.set(state.key, state);
      look();
    },
    fault: (error) => void (faults.push(error), look()),
  });
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Nothing came of it')), LIMIT_MS);
      look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      look();
    });
  return { pool, lanes, finished, progress, faults, until };
}

describe('the engine pool', () => {
  test('hashes chains of many lengths to the digests that node:crypto gives', async () => {
    const { pool, finished, until } = await setup();
    const lengths = [
      1,
      2,
      3,
      17,
      1_000,
      5_000,
      ...Array.from({ length: 60 }, (_, i) => 1 + ((i * 7_919) % 3_000)),
    ];
    pool.add(lengths.map((target, i) => task(`chain ${i}`, target)));
    await until(() => finished.size === lengths.length);
    lengths.forEach((target, i) => {
      const key = `chain ${i}`;
      expect(finished.get(key)).toEqual({ key, position: target, digest: iterate(chainOf(key), target - 1) });
    });
    expect(pool.load()).toMatchObject({ chains: 0, iterationsLeft: 0 });
  });

  test('lets a short chain through while long ones fill every lane', async () => {
    const { pool, lanes, finished, until } = await setup(1, 50);
    pool.add(Array.from({ length: 3 * lanes }, (_, i) => task(`long ${i}`, 1e12)));
    pool.add([task('short', 500)]);
    await until(() => finished.has('short'));
    expect([...finished.keys()]).toEqual(['short']);
    expect(pool.load()).toMatchObject({ chains: 3 * lanes, freeLanes: 0 });
  });

  test('gives chains back where they stand, to be gone on with anywhere', async () => {
    const { pool, finished, progress, until } = await setup();
    pool.add([task('a', 1e12), task('b', 1e12), task('c', 40)]);
    const hasMoved = (key: string): boolean => progress.some((state) => state.key === key);
    await until(() => finished.has('c') && hasMoved('a') && hasMoved('b'));
    const states = await pool.remove(['a', 'b', 'c', 'unknown']);
    expect(states.map(({ key }) => key).sort()).toEqual(['a', 'b']);
    for (const { position } of states) expect(position).toBeGreaterThan(1);
    expect(pool.load()).toMatchObject({ chains: 0 });
    const { key, position, digest } = states[0]!;
    pool.add([{ key, position, digest, target: position + 1_000 }]);
    await until(() => finished.has(key));
    expect(finished.get(key)).toEqual({ key, position: position + 1_000, digest: iterate(digest, 1_000) });
  });

  test('reports progress that only grows, and is true', async () => {
    const { pool, progress, until } = await setup(1);
    pool.add([task('a', 1e12)]);
    await until(() => progress.length >= 3);
    const positions = progress.map(({ position }) => position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(progress[0]!.digest).toBe(iterate(chainOf('a'), progress[0]!.position - 1));
  });

  test('moves chains to an engine that has run out of them', async () => {
    const { pool, lanes, finished, until } = await setup(2, 10);
    // Chains go to the engines in turn: every second one is short, so one engine is soon idle.
    pool.add(Array.from({ length: 2 * lanes }, (_, i) => task(`${i}`, i % 2 ? 1e12 : 10)));
    await until(() => finished.size === lanes);
    pool.add([task('late', 1e12), task('later', 1e12)]);
    await until(() => pool.load().freeLanes === Math.max(0, 2 * lanes - (lanes + 2)));
    expect((await pool.remove(Array.from({ length: lanes }, (_, i) => `${2 * i + 1}`))).length).toBe(lanes);
  });

  test('answers at once for a chain that is at its target already', async () => {
    const { pool, finished, until } = await setup(1);
    pool.add([task('there', 5, 5)]);
    await until(() => finished.has('there'));
    expect(finished.get('there')).toEqual({ key: 'there', position: 5, digest: chainOf('there') });
  });

  test('refuses a key that it holds', async () => {
    const { pool } = await setup(1);
    pool.add([task('a', 1e12)]);
    expect(() => pool.add([task('a', 1e12)])).toThrow('holds a already');
  });

  test.each([
    { what: 'a key that is held', bad: task('held', 1e12), says: 'holds held already' },
    { what: 'a key that comes twice', bad: task('a', 1e12), says: 'holds a already' },
    { what: 'a target that is no safe integer', bad: task('bad', 2 ** 60), says: 'bad is no task' },
    { what: 'a position that is none', bad: task('bad', 1e12, 0.5), says: 'bad is no task' },
    { what: 'a digest that is none', bad: { ...task('bad', 1e12), digest: 'xyz' }, says: 'bad is no task' },
  ])('takes none of the chains when one is refused: $what', async ({ bad, says }) => {
    const { pool, finished, until } = await setup(1);
    pool.add([task('held', 1e12)]);
    const good = ['a', 'b', 'c', 'd'].map((key) => task(key, 1_000));
    expect(() => pool.add([...good, bad])).toThrow(says);
    expect(pool.load()).toMatchObject({ chains: 1 });
    expect(await pool.remove(['a', 'b', 'c', 'd'])).toEqual([]);
    pool.add(good);
    await until(() => finished.size === 4);
  });

  test('stops in the middle of work, twice without harm', async () => {
    const { pool, faults } = await setup();
    pool.add([task('a', 1e12), task('b', 1e12)]);
    const removal = pool.remove(['a']);
    await Promise.all([pool.stop(), pool.stop()]);
    await pool.stop();
    expect((await removal).length).toBeLessThanOrEqual(1);
    expect(faults).toEqual([]);
    expect(() => pool.add([task('c', 5)])).toThrow('not running');
  });
});
