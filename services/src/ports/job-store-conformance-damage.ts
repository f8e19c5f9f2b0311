import { describe, expect, test } from '@jest/globals';
import type { JobFacts } from '../jobs/job.ts';
import type { StoreSuite, StoreUnderTest } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';

const { checkpointOf, completionOf, computed, job, TENANT, WORKER } = kit;
const SWEEP = { forgottenAfterMs: -kit.DAY_MS, limit: 1_000 };

/** Bits that flip on the disk, and rows that an earlier version has written: they have no check value. */
export function describeDamage(suite: StoreSuite): void {
  describe('a stored digest whose check value does not match', () => {
    describeResults(suite);
    describeCheckpoints(suite);
    describeFacts(suite);
  });
  describe('what was stored without a check value', () => describeUnchecked(suite));
}

/** A done job, one bit of whose digest has flipped. */
async function damagedResult(suite: StoreSuite, facts: JobFacts): Promise<StoreUnderTest> {
  const under = await suite.open();
  await under.store.submit([computed(facts)]);
  await under.tamper(facts.id, 'digest');
  return under;
}

/** A queued job that has come to 700, in whose row something is wrong. */
async function queuedAt700(suite: StoreSuite, how: kit.Tampering): Promise<StoreUnderTest> {
  const under = await suite.open();
  await kit.running(under.store, job('a'));
  await under.store.release(WORKER, [checkpointOf(job('a'), 700)]);
  await under.tamper(job('a').id, how);
  return under;
}

const BEGINNING = { ...kit.pointAt(job('a'), 1), owner: null };

function describeResults(suite: StoreSuite): void {
  test('is not served: the job is queued and computed again', async () => {
    const { store, damaged } = await damagedResult(suite, job('a'));
    expect(await kit.liveJob(store, job('a'))).toMatchObject(BEGINNING);
    expect(damaged).toEqual([{ job: job('a').id, what: 'result', position: 50_000, recomputed: true }]);
    expect(await store.backlog()).toMatchObject({ queued: [{ jobs: 1, iterations: 49_999 }, {}, {}, {}] });
    expect(await store.claim(WORKER, { class: 0, limit: 5 })).toMatchObject([{ id: job('a').id }]);
    expect(await store.complete([completionOf(job('a'))])).toEqual(['stored']);
    expect(await kit.viewOfJob(store, job('a'))).toMatchObject({
      result: { outcome: 'done', digest: kit.digestAt(job('a').chain, 50_000) },
    });
    expect(damaged).toHaveLength(1);
  });

  test('does not answer a submission, which joins the job that is computed again', async () => {
    const { store, damaged } = await damagedResult(suite, job('a'));
    expect(await store.submit([job('a')])).toMatchObject([{ kind: 'joined', job: BEGINNING }]);
    expect(damaged).toHaveLength(1);
  });

  test('gives way to a result that comes', async () => {
    const { store, damaged } = await damagedResult(suite, job('a'));
    expect(await store.complete([completionOf(job('a'))])).toEqual(['stored']);
    expect(await kit.stateOfJob(store, job('a'))).toBe('done');
    expect(await store.backlog()).toMatchObject({ queued: [{ jobs: 0 }, {}, {}, {}] });
    expect(damaged).toHaveLength(1);
  });

  test('gives way to a submission that brings its digest', async () => {
    const { store } = await damagedResult(suite, job('a'));
    expect(await store.submit([computed(job('a'))])).toMatchObject([{ kind: 'known', fresh: true }]);
    expect(await kit.stateOfJob(store, job('a'))).toBe('done');
    expect(await store.backlog()).toMatchObject({ queued: [{ jobs: 0 }, {}, {}, {}] });
  });

  test('is no start for a longer job: the longest part that is sound is', async () => {
    const under = await suite.open();
    await under.store.submit([5_000, 9_000].map((length) => computed(job('c', length))));
    await under.tamper(job('c', 9_000).id, 'digest');
    expect(await under.store.submit([job('c', 20_000)])).toMatchObject([
      { kind: 'created', job: kit.pointAt(job('c'), 5_000) },
    ]);
    expect(await kit.stateOfJob(under.store, job('c', 9_000))).toBe('queued');
    expect(under.damaged).toMatchObject([{ job: job('c', 9_000).id, position: 9_000 }]);
  });

  test("is no answer to another tenant's job of equal length", async () => {
    const { store } = await damagedResult(suite, job('a', 50_000, 'other'));
    expect(await store.submit([job('a')])).toMatchObject([{ kind: 'created', job: BEGINNING }]);
  });

  test('is not listed as done; the others are', async () => {
    const under = await suite.open();
    const all = kit.jobs(9);
    await under.store.submit(all.map(computed));
    for (const { id } of all.slice(0, 3)) await under.tamper(id, 'digest');
    const done = await kit.pagesOf(under.store, { state: 'done', limit: 4 });
    expect(kit.idsOf(done.flat()).sort()).toEqual(
      all
        .slice(3)
        .map(({ id }) => id)
        .sort(),
    );
    const everything = (await kit.pagesOf(under.store, { limit: 4 })).flat();
    expect(kit.idsOf(everything).sort()).toEqual(all.map(({ id }) => id).sort());
  });

  test('does not end a live job', async () => {
    const { store } = await damagedResult(suite, job('a'));
    await store.submit([job('a')]);
    const { forgotten } = await store.sweep(SWEEP);
    expect(forgotten).toMatchObject([{ id: job('a').id }]);
    expect(await store.cancel(TENANT, [job('a').id])).toMatchObject([{ cancelled: true }]);
  });
}

function describeCheckpoints(suite: StoreSuite): void {
  test.each(['digest', 'position'] as const)(
    'of a checkpoint (%s) is not gone on from: the job starts again',
    async (how) => {
      const { store, damaged } = await queuedAt700(suite, how);
      expect(await store.claim(WORKER, { class: 0, limit: 5 })).toMatchObject([
        { ...BEGINNING, owner: WORKER },
      ]);
      expect(damaged).toMatchObject([{ job: job('a').id, what: 'checkpoint', recomputed: true }]);
      expect(await store.checkpoint(WORKER, [checkpointOf(job('a'), 600)])).toEqual(['kept']);
      expect(await kit.liveJob(store, job('a'))).toMatchObject(kit.pointAt(job('a'), 600));
      expect(await store.release(WORKER, [checkpointOf(job('a'), 650)])).toEqual([true]);
      expect(await store.backlog()).toMatchObject({ queued: [{ jobs: 1, iterations: 49_350 }, {}, {}, {}] });
      expect(damaged).toHaveLength(1);
    },
  );

  test.each([
    { what: 'get', see: (under: StoreUnderTest) => kit.liveJob(under.store, job('a')) },
    {
      what: 'claim by id',
      see: async ({ store }: StoreUnderTest) => {
        const [held] = await store.claim(WORKER, { ids: [job('a').id] });
        return { ...held, owner: null };
      },
    },
    {
      what: 'submit',
      see: async ({ store }: StoreUnderTest) => {
        const [answer] = await store.submit([job('a')]);
        return (answer as { job: unknown }).job;
      },
    },
    {
      what: 'list',
      see: async ({ store }: StoreUnderTest) => {
        const [view] = (await kit.pagesOf(store, { state: 'queued' })).flat();
        return (view as { job: unknown }).job;
      },
    },
    {
      what: 'sweep',
      see: async ({ store }: StoreUnderTest) => (await store.sweep(SWEEP)).forgotten[0],
    },
  ])('of a checkpoint is shown to nobody: $what', async ({ see }) => {
    const under = await queuedAt700(suite, 'digest');
    expect(await see(under)).toMatchObject(BEGINNING);
    expect(under.damaged).toHaveLength(1);
  });
}

function describeFacts(suite: StoreSuite): void {
  test('beside a damaged number of iterations ends a live job as failed, and says so', async () => {
    const { store, damaged } = await queuedAt700(suite, 'iterations');
    expect(await store.claim(WORKER, { class: 0, limit: 5 })).toEqual([]);
    expect(await kit.viewOfJob(store, job('a'))).toMatchObject({
      result: { outcome: 'failed', reason: expect.stringMatching(/damaged/) },
    });
    expect(damaged).toMatchObject([{ job: job('a').id, recomputed: false }]);
    expect(await store.submit([job('a')])).toMatchObject([{ kind: 'created', job: BEGINNING }]);
    expect(await store.backlog()).toMatchObject({ queued: [{ jobs: 1, iterations: 49_999 }, {}, {}, {}] });
  });

  test('beside a damaged number of iterations leaves a done job failed, and says so', async () => {
    const under = await suite.open();
    await under.store.submit([computed(job('a'))]);
    await under.tamper(job('a').id, 'iterations');
    expect(await kit.viewOfJob(under.store, job('a'))).toMatchObject({
      result: { outcome: 'failed', digest: null, reason: expect.stringMatching(/damaged/) },
    });
    expect(await under.store.submit([job('a')])).toMatchObject([{ kind: 'created' }]);
    expect(under.damaged).toMatchObject([{ what: 'result', recomputed: false }]);
  });
}

function describeUnchecked(suite: StoreSuite): void {
  test('is served: a result', async () => {
    const under = await suite.open();
    await under.store.submit([computed(job('a'))]);
    const before = await kit.viewOfJob(under.store, job('a'));
    await under.tamper(job('a').id, 'unchecked');
    expect(await kit.viewOfJob(under.store, job('a'))).toEqual(before);
    expect(await under.store.submit([job('a')])).toMatchObject([{ kind: 'known', fresh: false }]);
    expect(await under.store.submit([job('a', 60_000)])).toMatchObject([{ job: { position: 50_000 } }]);
    expect(under.damaged).toEqual([]);
  });

  test('is gone on from: a checkpoint, which has a check value when it is written again', async () => {
    const under = await queuedAt700(suite, 'unchecked');
    const { store } = under;
    expect(await store.claim(WORKER, { class: 0, limit: 5 })).toMatchObject([kit.pointAt(job('a'), 700)]);
    await store.release(WORKER, [checkpointOf(job('a'), 800)]);
    expect(under.damaged).toEqual([]);
    await under.tamper(job('a').id, 'digest');
    expect(await kit.liveJob(store, job('a'))).toMatchObject(BEGINNING);
  });
}
