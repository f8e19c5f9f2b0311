import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { computed, job, WORKER } from '../../ports/job-store-conformance-facts.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { dropDatabase, newDatabase, testStore, withDatabase } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const HOUR_MS = 3_600_000;
const SWEEP = { forgottenAfterMs: HOUR_MS, limit: 10 };

suite(`the clock of the database${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const opened: JobStore[] = [];
  /** A client whose own clock is wrong. */
  const open = async (wrongMs: number): Promise<JobStore> => {
    const clock = { now: () => Date.now() + wrongMs, monotonic: () => systemClock.monotonic() };
    const { store } = testStore({ ...place, clock });
    opened.push(store);
    await store.start();
    return store;
  };
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.stop();
    await withDatabase(place, (db) => db.collection('jobs').deleteMany({}));
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
});
