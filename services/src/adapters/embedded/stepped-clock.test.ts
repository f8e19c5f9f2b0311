import { afterEach, describe, expect, test } from '@jest/globals';
import { computed, job, TENANT, WORKER } from '../../ports/job-store-conformance-facts.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { fakeClock, openStoreOn, temporaryFile } from './testing/kit.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS = [HOUR_MS, -HOUR_MS, 400 * DAY_MS, -400 * DAY_MS];
const RETENTION_MS = 30 * MINUTE_MS;
const SWEEP = { forgottenAfterMs: 1e15, limit: 100 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A store on a file, which can be started again, in the same process time or after a crash. */
async function setup() {
  const { file, remove } = await temporaryFile();
  closing.push(remove);
  const clock = fakeClock();
  const open = async () => {
    const opened = await openStoreOn(file, { clock, retentionMs: RETENTION_MS });
    closing.push(() => opened.store.stop());
    return opened;
  };
  return { clock, open };
}

async function isKnown(store: JobStore, name: string): Promise<boolean> {
  return (await store.get(TENANT, [job(name, 3).id]))[0] !== null;
}

describe('the store on SQLite, when the wall clock steps', () => {
  test.each(STEPS)('deletes nothing and expires nothing (%d ms)', async (stepMs) => {
    const { clock, open } = await setup();
    const { store } = await open();
    await store.submit([computed(job('before', 3))]);
    clock.advance(MINUTE_MS);
    clock.step(stepMs);
    await store.submit([computed(job('after', 3))]);
    expect((await store.sweep(SWEEP)).expired).toBe(0);
    clock.advance(MINUTE_MS);
    clock.step(-stepMs);
    expect((await store.sweep(SWEEP)).expired).toBe(0);
    for (const name of ['before', 'after']) expect(await isKnown(store, name)).toBe(true);
  });

  test.each([HOUR_MS, -HOUR_MS])(
    'still deletes what has been there for long enough (%d ms)',
    async (stepMs) => {
      const { clock, open } = await setup();
      const { store } = await open();
      await store.submit([computed(job('before', 3))]);
      clock.step(stepMs);
      clock.advance(RETENTION_MS);
      expect((await store.sweep(SWEEP)).expired).toBe(1);
    },
  );

  test.each(STEPS)('spares the leases of its workers (%d ms)', async (stepMs) => {
    const { clock, open } = await setup();
    const { store } = await open();
    await store.submit([job('held')]);
    await store.renew(WORKER, 10_000);
    await store.claim(WORKER, { ids: [job('held').id] });
    clock.step(stepMs);
    clock.advance(9_999);
    expect((await store.sweep(SWEEP)).requeued).toEqual([]);
    clock.advance(1);
    expect((await store.sweep(SWEEP)).requeued).toMatchObject([{ id: job('held').id }]);
  });

  test('lists the newest first all the same', async () => {
    const { clock, open } = await setup();
    const { store } = await open();
    const names = ['first', 'second', 'third'];
    for (const name of names) {
      await store.submit([computed(job(name, 3))]);
      clock.advance(1_000);
      clock.step(-HOUR_MS);
    }
    const { items } = await store.list({ tenant: TENANT, state: null, cursor: null, limit: 10 });
    const listed = items.map((view) => (view.kind === 'result' ? view.result.id : view.job.id));
    expect(listed).toEqual(names.map((name) => job(name, 3).id).reverse());
  });

  test.each(STEPS)('says what is wrong while it lasts, for an hour at most (%d ms)', async (stepMs) => {
    const { clock, open } = await setup();
    const { store } = await open();
    expect(store.clockTrouble()).toBeNull();
    clock.step(stepMs);
    expect(store.clockTrouble()).toMatch(/clock of this machine (was set back|jumped ahead) by \d+ s/);
    clock.advance(HOUR_MS);
    expect(store.clockTrouble()).toBeNull();
  });
});

describe('the store on SQLite, started with another wall clock', () => {
  test.each([
    ['in order', (opened: { store: JobStore }) => opened.store.stop()],
    ['by a crash', ({ thread }: { thread: { terminate(): Promise<void> } }) => thread.terminate()],
  ])('in a later year deletes nothing, after it ended %s', async (_how, end) => {
    const { clock, open } = await setup();
    const first = await open();
    await first.store.submit([computed(job('kept', 3))]);
    await first.store.renew(WORKER, 1_000);
    await end(first);
    clock.step(400 * DAY_MS);
    const { store } = await open();
    for (let sweep = 0; sweep < 3; sweep++) expect((await store.sweep(SWEEP)).expired).toBe(0);
    expect(await isKnown(store, 'kept')).toBe(true);
    clock.advance(RETENTION_MS / 2);
    expect((await store.sweep(SWEEP)).expired).toBe(1);
  });

  test('in an earlier year goes on where it was', async () => {
    const { clock, open } = await setup();
    const first = await open();
    await first.store.submit([computed(job('earlier', 3))]);
    await first.store.stop();
    clock.step(-400 * DAY_MS);
    const { store } = await open();
    await store.submit([computed(job('later', 3))]);
    clock.step(400 * DAY_MS);
    expect((await store.sweep(SWEEP)).expired).toBe(0);
    for (const name of ['earlier', 'later']) expect(await isKnown(store, name)).toBe(true);
  });

  test('believes a later year at once where there are no results', async () => {
    const { clock, open } = await setup();
    await (await open()).store.stop();
    clock.step(400 * DAY_MS);
    const { store } = await open();
    await store.sweep(SWEEP);
    await store.submit([computed(job('new', 3))]);
    clock.advance(RETENTION_MS);
    expect((await store.sweep(SWEEP)).expired).toBe(1);
  });
});
