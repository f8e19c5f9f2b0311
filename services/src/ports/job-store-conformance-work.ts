import { describe, expect, test } from '@jest/globals';
import type { StoreSuite } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';

const { checkpointOf, completionOf, job, OTHER, TENANT, WORKER } = kit;

/** What workers do with jobs. */
export function describeWork(suite: StoreSuite): void {
  describeClaim(suite);
  describeCheckpoint(suite);
  describeComplete(suite);
  describeRelease(suite);
}

function describeClaim(suite: StoreSuite): void {
  describe('claim', () => {
    test('by ids takes what is queued, once', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('taken'), OTHER);
      await store.submit([job('a'), job('b')]);
      const ids = [job('a'), job('taken'), job('b'), job('unknown'), job('a')].map(({ id }) => id);
      const held = await store.claim(WORKER, { ids });
      expect(held.map(({ id }) => id).sort()).toEqual([job('a').id, job('b').id].sort());
      expect(held).toMatchObject([{ owner: WORKER }, { owner: WORKER }]);
      expect(await kit.liveJob(store, job('a'))).toEqual(held.find(({ id }) => id === job('a').id));
      expect((await kit.liveJob(store, job('taken'))).owner).toBe(OTHER);
    });

    test('answers each job once, also when its id is wished for twice', async () => {
      const { store } = await suite.open();
      const facts = [job('a'), job('b')];
      await store.submit(facts);
      const ids = [...facts, ...facts].map(({ id }) => id);
      const claimed = await store.claim(WORKER, { ids });
      expect(claimed.map(({ id }) => id).sort()).toEqual(facts.map(({ id }) => id).sort());
    });

    test('of a class takes the oldest, the oldest first, and no other class', async () => {
      const under = await suite.open();
      const names = ['e', 'd', 'c', 'b', 'a'];
      for (const name of names) {
        await under.store.submit([job(name, 50_000), job(name, 5_000_000)]);
        await kit.tick(under, suite.abilities);
      }
      const held = await under.store.claim(WORKER, { class: 1, limit: 3 });
      expect(held.map(({ id }) => id)).toEqual(['e', 'd', 'c'].map((name) => job(name, 5_000_000).id));
      expect(await under.store.claim(OTHER, { class: 1, limit: 10 })).toHaveLength(2);
      expect(await under.store.claim(OTHER, { class: 1, limit: 10 })).toEqual([]);
      expect(await under.store.claim(OTHER, { class: 0, limit: 0 })).toEqual([]);
      expect(await under.store.claim(OTHER, { class: 0, limit: 10 })).toHaveLength(5);
    });

    test('gives no job to two workers', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(60);
      await store.submit(all);
      const workers = ['w1', 'w2', 'w3', 'w4'];
      const byIds = workers.map((worker) =>
        store.claim(worker, { ids: all.slice(0, 30).map(({ id }) => id) }),
      );
      const oldest = workers.map((worker) => store.claim(worker, { class: 0, limit: 20 }));
      const held = (await Promise.all([...byIds, ...oldest])).flat().map(({ id }) => id);
      expect(new Set(held).size).toBe(held.length);
      const rest = await store.claim('w5', { class: 0, limit: 60 });
      expect(held.length + rest.length).toBe(60);
    });

    test('can be found again by its worker', async () => {
      const { store } = await suite.open();
      const held = await kit.running(store, job('a'));
      await kit.running(store, job('b'), OTHER);
      expect(await store.owned(WORKER)).toEqual([held]);
      expect(await store.owned('nobody')).toEqual([]);
    });
  });
}

function describeCheckpoint(suite: StoreSuite): void {
  describe('checkpoint', () => {
    test('moves the job and keeps its owner', async () => {
      const { store } = await suite.open();
      const held = await kit.running(store, job('a'));
      expect(await store.checkpoint(WORKER, [checkpointOf(job('a'), 700)])).toEqual(['kept']);
      expect(await kit.liveJob(store, job('a'))).toEqual({ ...held, ...kit.pointAt(job('a'), 700) });
    });

    test('never moves it back', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      const late = [700, 300, 700].map((position) => checkpointOf(job('a'), position));
      expect(await store.checkpoint(WORKER, late)).toEqual(['kept', 'kept', 'kept']);
      expect(await kit.liveJob(store, job('a'))).toMatchObject(kit.pointAt(job('a'), 700));
    });

    test('of another worker counts when it is further, and says that the job is lost', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 500)]);
      const reported = [400, 900].map((position) => checkpointOf(job('a'), position));
      expect(await store.checkpoint(OTHER, reported)).toEqual(['lost', 'lost']);
      expect(await kit.liveJob(store, job('a'))).toMatchObject({
        ...kit.pointAt(job('a'), 900),
        owner: WORKER,
      });
    });

    test('of a queued job counts, too', async () => {
      const { store } = await suite.open();
      await store.submit([job('a')]);
      expect(await store.checkpoint(WORKER, [checkpointOf(job('a'), 900)])).toEqual(['lost']);
      expect(await kit.liveJob(store, job('a'))).toMatchObject({ position: 900, owner: null });
      expect((await store.backlog()).queued[0]).toMatchObject({ jobs: 1, iterations: 49_100 });
    });

    test('with another digest at that position is refused, and the first stays', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 700)]);
      const wrong = { id: job('a').id, position: 700, digest: kit.wrongDigest(job('a').chain, 700) };
      expect(await store.checkpoint(WORKER, [wrong])).toEqual(['contradiction']);
      expect(await kit.liveJob(store, job('a'))).toMatchObject(kit.pointAt(job('a'), 700));
    });

    test.each([50_000, 50_001])('at %d of 50,000 iterations is left to completion', async (position) => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      expect(await store.checkpoint(WORKER, [checkpointOf(job('a'), position)])).toEqual(['kept']);
      expect(await kit.liveJob(store, job('a'))).toMatchObject({ position: 1 });
    });

    test('answers a batch in order, jobs that have ended among them', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.submit([job('queued'), kit.computed(job('done'))]);
      const batch = [job('done'), job('a'), job('unknown'), job('queued')].map((each) =>
        checkpointOf(each, 10),
      );
      expect(await store.checkpoint(WORKER, batch)).toEqual(['lost', 'kept', 'lost', 'lost']);
    });
  });
}

function describeComplete(suite: StoreSuite): void {
  describe('complete', () => {
    test('stores what the worker says and ends the live job', async () => {
      const { store, now } = await suite.open();
      await kit.running(store, job('a'));
      const done = completionOf(job('a'));
      const before = now.ms();
      expect(await store.complete([done])).toEqual(['stored']);
      const view = await kit.viewOfJob(store, job('a'));
      expect(view).toMatchObject({ kind: 'result', result: { ...done, outcome: 'done', reason: null } });
      const { finishedAt, expiresAt } = (view as { result: { finishedAt: number; expiresAt: number } })
        .result;
      if (suite.abilities.time) expect(finishedAt).toBe(before);
      expect(expiresAt - finishedAt).toBe(30 * kit.DAY_MS);
      expect(await store.owned(WORKER)).toEqual([]);
      expect(await store.backlog()).toMatchObject({ running: 0 });
    });

    test('counts whoever says it, and for jobs that are not live, too', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.submit([job('queued')]);
      const batch = [job('a'), job('queued'), job('unknown')].map((each) => completionOf(each, OTHER));
      expect(await store.complete(batch)).toEqual(['stored', 'stored', 'stored']);
      expect(await store.backlog()).toMatchObject({
        running: 0,
        queued: [{ jobs: 0, iterations: 0 }, {}, {}, {}],
      });
      expect(await kit.stateOfJob(store, job('unknown'))).toBe('done');
    });

    test('is known when it comes again, and the first stays', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      const twice = [completionOf(job('a')), completionOf(job('a'), OTHER)];
      expect(await store.complete(twice)).toEqual(['stored', 'known']);
      expect(await store.complete(twice)).toEqual(['known', 'known']);
      expect(await kit.viewOfJob(store, job('a'))).toMatchObject({ result: { worker: WORKER } });
    });

    test('with another digest is a contradiction, and the first stays', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      const wrong = { ...completionOf(job('a'), OTHER), digest: kit.wrongDigest(job('a').chain, 50_000) };
      expect(await store.complete([completionOf(job('a')), wrong])).toEqual(['stored', 'contradiction']);
      expect(await kit.viewOfJob(store, job('a'))).toMatchObject({ result: completionOf(job('a')) });
    });

    test('keeps workers that had nothing to do with it apart', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await kit.running(store, job('b'), OTHER);
      await store.complete([completionOf(job('a'))]);
      expect((await store.owned(OTHER)).map(({ id }) => id)).toEqual([job('b').id]);
    });
  });
}

function describeRelease(suite: StoreSuite): void {
  describe('release', () => {
    test('queues the job again where it stands, by what is left of it', async () => {
      const under = await suite.open();
      const { store } = under;
      const facts = job('a', 10_050_000);
      const held = await kit.running(store, facts);
      await kit.tick(under, suite.abilities);
      expect(held.class).toBe(2);
      expect(await store.release(WORKER, [checkpointOf(facts, 10_000_000)])).toEqual([true]);
      const live = await kit.liveJob(store, facts);
      expect(live).toMatchObject({ ...kit.pointAt(facts, 10_000_000), owner: null, class: 0, attempts: 0 });
      expect(live.queuedAt).toBeGreaterThan(held.queuedAt);
      expect(live.createdAt).toBe(held.createdAt);
      expect(await store.claim(OTHER, { class: 0, limit: 1 })).toMatchObject([
        { id: facts.id, owner: OTHER },
      ]);
    });

    test('puts the job behind those that wait already', async () => {
      const under = await suite.open();
      await kit.running(under.store, job('a'));
      await under.store.submit([job('b')]);
      await kit.tick(under, suite.abilities);
      await under.store.release(WORKER, [checkpointOf(job('a'), 2)]);
      expect(await under.store.claim(OTHER, { class: 0, limit: 1 })).toMatchObject([{ id: job('b').id }]);
    });

    test("of a job that is not the worker's own does nothing", async () => {
      const { store } = await suite.open();
      const held = await kit.running(store, job('a'));
      await store.submit([job('queued'), kit.computed(job('done'))]);
      const batch = [job('a'), job('queued'), job('done'), job('unknown')].map((each) =>
        checkpointOf(each, 700),
      );
      expect(await store.release(OTHER, batch)).toEqual([false, false, false, false]);
      expect(await kit.liveJob(store, job('a'))).toEqual(held);
      expect(await kit.liveJob(store, job('queued'))).toMatchObject({ position: 1 });
    });

    test('keeps the larger position', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 900)]);
      expect(await store.release(WORKER, [checkpointOf(job('a'), 400)])).toEqual([true]);
      expect(await kit.liveJob(store, job('a'))).toMatchObject({
        ...kit.pointAt(job('a'), 900),
        owner: null,
      });
    });

    test('happens once', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      const twice = [checkpointOf(job('a'), 5), checkpointOf(job('a'), 5)];
      expect(await store.release(WORKER, twice)).toEqual([true, false]);
      expect(await store.cancel(TENANT, [job('a').id])).toMatchObject([{ cancelled: true }]);
      expect(await store.release(WORKER, twice)).toEqual([false, false]);
    });
  });
}
