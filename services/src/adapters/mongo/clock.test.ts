import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { computed, job, WORKER } from '../../ports/job-store-conformance-facts.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { dropDatabase, newDatabase, testStore, withDatabase, type TestOptions } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const HOUR_MS = 3_600_000;
const HALF_HOUR_MS = HOUR_MS / 2;
const STEPS = [HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS, -400 * 24 * HOUR_MS];
const SWEEP = { forgottenAfterMs: HOUR_MS, limit: 10 };

suite(`the clock of the database${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const opened: JobStore[] = [];
  const start = async (options: Partial<TestOptions>): Promise<JobStore> => {
    const { store } = testStore({ ...place, ...options });
    opened.push(store);
    await store.start();
    return store;
  };
  /** A client whose own clock is wrong. */
  const open = (wrongMs: number, options: Partial<TestOptions> = {}): Promise<JobStore> => {
    const clock = { now: () => Date.now() + wrongMs, monotonic: () => systemClock.monotonic() };
    return start({ clock, ...options });
  };
  /** A client whose clock somebody sets while it runs. */
  const openStepped = async (
    stepMs: number,
  ): Promise<{ readonly store: JobStore; readonly step: () => void }> => {
    let stepped = 0;
    const clock = { now: () => Date.now() + stepped, monotonic: () => systemClock.monotonic() };
    return { store: await start({ clock, retentionMs: HALF_HOUR_MS }), step: () => (stepped = stepMs) };
  };
  const expiresAt = async (store: JobStore, id: string): Promise<number> => {
    const [view] = await store.get('tenant-a', [id]);
    return view?.kind === 'result' ? view.result.expiresAt : NaN;
  };
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.stop();
    await withDatabase(place, async (db) => {
      for (const name of ['jobs', 'results']) await db.collection(name).deleteMany({});
    });
  });
  afterAll(() => dropDatabase(place));

  test.each([HOUR_MS, -HOUR_MS])(
    'decides leases, whatever the worker thinks (%d ms off)',
    async (wrongMs) => {
      const [right, wrong] = [await open(0), await open(wrongMs)];
      await right.submit([job('a')]);
      await wrong.renew(WORKER, 60_000);
      await wrong.claim(WORKER, { ids: [job('a').id] });
      for (const store of [right, wrong]) expect((await store.sweep(SWEEP)).requeued).toEqual([]);
      await wrong.renew(WORKER, 0);
      expect((await wrong.sweep(SWEEP)).requeued).toMatchObject([{ id: job('a').id }]);
    },
  );

  test('lets a lease run out by itself', async () => {
    const store = await open(0);
    await store.submit([job('a')]);
    await store.renew(WORKER, 300);
    await store.claim(WORKER, { ids: [job('a').id] });
    let requeued: readonly unknown[] = [];
    while (requeued.length === 0) ({ requeued } = await store.sweep(SWEEP));
    expect(requeued).toMatchObject([{ id: job('a').id, attempts: 1 }]);
  });

  test.each([HOUR_MS, -HOUR_MS])('dates jobs and results (%d ms off)', async (wrongMs) => {
    const store = await open(wrongMs);
    const before = Date.now();
    await store.submit([job(`dated ${wrongMs}`), computed(job(`done ${wrongMs}`, 3))]);
    const views = await store.get('tenant-a', [job(`dated ${wrongMs}`).id, job(`done ${wrongMs}`, 3).id]);
    const times = views.flatMap((view) =>
      view?.kind === 'live' ? [view.job.createdAt, view.job.queuedAt] : [view!.result.finishedAt],
    );
    for (const time of times) expect(Math.abs(time - before)).toBeLessThan(HOUR_MS / 2);
  });

  test.each(STEPS)('deletes nothing when the clock of one client steps by %d ms', async (stepMs) => {
    const { store, step } = await openStepped(stepMs);
    const right = await open(0, { retentionMs: HALF_HOUR_MS });
    const [before, after] = [job('before', 3), job('after', 3)];
    await store.submit([computed(before)]);
    expect(store.clockTrouble()).toBeNull();
    step();
    await store.submit([computed(after)]);
    for (const each of [store, right]) expect((await each.sweep(SWEEP)).expired).toBe(0);
    for (const each of [store, right])
      expect(await each.get('tenant-a', [before.id, after.id])).toMatchObject([
        { kind: 'result' },
        { kind: 'result' },
      ]);
    expect(Math.abs((await expiresAt(right, after.id)) - Date.now() - HALF_HOUR_MS)).toBeLessThan(60_000);
    expect(store.clockTrouble()).toMatch(/disagree by \d+ s: expired results are not deleted/);
    expect(right.clockTrouble()).toBeNull();
  });

  test.each(STEPS)(
    'deletes nothing while clocks disagree, not even what has expired (%d ms)',
    async (stepMs) => {
      const { store, step } = await openStepped(stepMs);
      await (await open(0, { retentionMs: 0 })).submit([computed(job('expired', 3))]);
      step();
      expect((await store.sweep(SWEEP)).expired).toBe(0);
      const right = await open(0);
      let expired = 0;
      while (expired === 0) ({ expired } = await right.sweep(SWEEP));
      expect(expired).toBe(1);
    },
  );

  test('is asked again by every deletion', async () => {
    const wrong = Date.now() + HOUR_MS;
    const time = { now: () => wrong, expiryNow: () => wrong, trouble: () => null, expression: '$$NOW' };
    const right = await open(0, { retentionMs: HALF_HOUR_MS });
    await right.submit([computed(job('kept', 3))]);
    expect((await (await start({ time })).sweep(SWEEP)).expired).toBe(0);
    expect(await expiresAt(right, job('kept', 3).id)).not.toBeNaN();
  });

  test('is not what the server deletes by itself, also where an earlier version let it', async () => {
    const old = { uri: place.uri, database: newDatabase() };
    await withDatabase(old, (db) =>
      db.collection('results').createIndexes([{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }]),
    );
    for (let time = 0; time < 2; time++) await start(old);
    const indexes = await withDatabase(old, (db) => db.collection('results').listIndexes().toArray());
    expect(indexes).toContainEqual(
      expect.objectContaining({ name: 'expiresAt_1', expireAfterSeconds: 2_147_483_647 }),
    );
    await dropDatabase(old);
  });
});
