import { describe, expect, test } from '@jest/globals';
import { DEFAULT_RETENTION_MS, LEASE_MS, MAX_ATTEMPTS } from '../jobs/limits.ts';
import type { StoreSuite } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';

const { checkpointOf, computed, job, OTHER, WORKER } = kit;
const SWEEP = { forgottenAfterMs: kit.DAY_MS, limit: 1_000 };
const NOTHING = { requeued: [], failed: [], forgotten: [], expired: 0 };

/** What the sweeper finds: jobs of dead workers, forgotten jobs, results that nobody used. */
export function describeLeases(suite: StoreSuite): void {
  describeDeath(suite);
  describeTime(suite);
  describeBacklog(suite);
  describeReopen(suite);
}

function describeDeath(suite: StoreSuite): void {
  describe('sweep', () => {
    test('leaves jobs with a worker that has a lease', async () => {
      const { store } = await suite.open();
      const held = await kit.running(store, job('a'));
      expect(await store.sweep(SWEEP)).toEqual(NOTHING);
      expect(await kit.liveJob(store, job('a'))).toEqual(held);
    });

    test('requeues what a dead worker held, from its last checkpoint, once', async () => {
      const under = await suite.open();
      const { store } = under;
      const facts = job('a', 10_050_000);
      const held = await kit.running(store, facts);
      await kit.running(store, job('b'), OTHER);
      await store.checkpoint(WORKER, [checkpointOf(facts, 10_000_000)]);
      await kit.tick(under, suite.abilities);
      await store.renew(WORKER, 0);
      const { requeued, ...rest } = await store.sweep(SWEEP);
      expect(requeued).toMatchObject([
        { ...kit.pointAt(facts, 10_000_000), owner: null, attempts: 1, class: 0, createdAt: held.createdAt },
      ]);
      expect(requeued[0]!.queuedAt).toBeGreaterThan(held.queuedAt);
      expect(rest).toMatchObject({ failed: [], forgotten: [] });
      expect(await kit.liveJob(store, facts)).toEqual(requeued[0]);
      expect(await kit.stateOfJob(store, job('b'))).toBe('running');
      expect(await store.sweep(SWEEP)).toEqual(NOTHING);
      expect(await store.checkpoint(WORKER, [checkpointOf(facts, 10_000_001)])).toEqual(['lost']);
    });

    test('requeues what a worker claimed that never had a lease', async () => {
      const { store } = await suite.open();
      await store.submit([job('a')]);
      await store.claim('ghost', { ids: [job('a').id] });
      expect((await store.sweep(SWEEP)).requeued).toMatchObject([{ id: job('a').id, attempts: 1 }]);
    });

    test('does no more at once than it is asked to', async () => {
      const { store } = await suite.open();
      await store.submit(kit.jobs(25));
      for (const ghost of ['g1', 'g2', 'g3', 'g4', 'g5']) await store.claim(ghost, { class: 0, limit: 5 });
      const counts: number[] = [];
      for (let round = 0; round < 4; round++) {
        counts.push((await store.sweep({ ...SWEEP, limit: 8 })).requeued.length);
      }
      expect(counts).toEqual([8, 8, 8, 1]);
    });

    test(`gives a job up when ${MAX_ATTEMPTS} workers died holding it, and says why`, async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 700)]);
      for (let death = 1; death < MAX_ATTEMPTS; death++) {
        await kit.die(store);
        expect(await kit.liveJob(store, job('a'))).toMatchObject({ attempts: death, owner: null });
        await store.claim(WORKER, { ids: [job('a').id] });
      }
      await store.renew(WORKER, 0);
      const { failed, requeued } = await store.sweep(SWEEP);
      expect(requeued).toEqual([]);
      expect(failed).toMatchObject([
        { ...job('a'), outcome: 'failed', digest: null, computed: 699, worker: null },
      ]);
      expect(failed[0]!.reason).toMatch(
        /^20 workers died holding this job at position 700 without progress; the last was /,
      );
      expect(await kit.viewOfJob(store, job('a'))).toEqual({ kind: 'result', result: failed[0] });
      expect(await store.submit([job('a')])).toMatchObject([
        { kind: 'created', job: { attempts: 0, position: 700 } },
      ]);
      expect(await kit.stateOfJob(store, job('a'))).toBe('queued');
    });

    test('counts deaths afresh after progress', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      for (let death = 1; death < MAX_ATTEMPTS; death++) {
        await kit.die(store);
        await store.claim(WORKER, { ids: [job('a').id] });
      }
      expect(await kit.liveJob(store, job('a'))).toMatchObject({ attempts: MAX_ATTEMPTS - 1 });
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 2)]);
      await kit.die(store);
      expect(await kit.liveJob(store, job('a'))).toMatchObject({ attempts: 1, position: 2 });
    });
  });
}

function describeTime(suite: StoreSuite): void {
  const timed = kit.testWith(suite, 'time');
  describe('by the clock', () => {
    timed('a lease lasts as long as it says, and renewing prolongs it', async () => {
      const { store, now } = await suite.open();
      await kit.running(store, job('a'));
      await store.renew(WORKER, LEASE_MS);
      now.advance(LEASE_MS - 1);
      expect(await store.sweep(SWEEP)).toEqual(NOTHING);
      await store.renew(WORKER, LEASE_MS);
      now.advance(LEASE_MS - 1);
      expect(await store.sweep(SWEEP)).toEqual(NOTHING);
      now.advance(1);
      expect((await store.sweep(SWEEP)).requeued).toMatchObject([{ id: job('a').id }]);
    });

    timed('jobs that wait for too long are reported, the oldest first, as long as they wait', async () => {
      const { store, now } = await suite.open();
      const waiting = [job('z'), job('y', 5_000_000), job('x')];
      for (const each of waiting) {
        await store.submit([each]);
        now.advance(10);
      }
      await store.submit([job('new')]);
      now.advance(1_000);
      const options = { forgottenAfterMs: 1_000, limit: 100 };
      const ids = waiting.map(({ id }) => id);
      expect((await store.sweep(options)).forgotten.map(({ id }) => id)).toEqual(ids);
      expect((await store.sweep({ ...options, limit: 2 })).forgotten.map(({ id }) => id)).toEqual(
        ids.slice(0, 2),
      );
      await store.renew(WORKER, kit.DAY_MS);
      await store.claim(WORKER, { ids: [job('z').id] });
      expect((await store.sweep(options)).forgotten.map(({ id }) => id)).toEqual(ids.slice(1));
    });

    timed(
      'a result is hidden when its time is over, deleted by the next sweep, and then computed again',
      async () => {
        const { store, now } = await suite.open();
        await store.submit([computed(job('a', 5)), computed(job('b', 5))]);
        now.advance(DEFAULT_RETENTION_MS - 1);
        expect(await kit.stateOfJob(store, job('a', 5))).toBe('done');
        now.advance(1);
        expect(await kit.stateOfJob(store, job('a', 5))).toBe('unknown');
        expect((await kit.pagesOf(store, {})).flat()).toEqual([]);
        expect(await store.submit([job('b', 5)])).toMatchObject([{ kind: 'created' }]);
        expect(await store.sweep({ ...SWEEP, limit: 1 })).toMatchObject({ expired: 1 });
        expect(await store.sweep(SWEEP)).toMatchObject({ expired: 1 });
        expect(await store.sweep(SWEEP)).toMatchObject({ expired: 0 });
        expect(await kit.stateOfJob(store, job('b', 5))).toBe('queued');
        expect(await store.complete([kit.completionOf(job('b', 5))])).toEqual(['stored']);
      },
    );

    timed('each use of a result keeps it for another full time', async () => {
      const { store, now } = await suite.open();
      await store.submit([computed(job('a', 5))]);
      now.advance(DEFAULT_RETENTION_MS - 1);
      expect(await store.submit([job('a', 5)])).toMatchObject([
        { kind: 'known', result: { expiresAt: now.ms() + DEFAULT_RETENTION_MS } },
      ]);
      now.advance(DEFAULT_RETENTION_MS - 1);
      expect(await store.submit([computed(job('a', 5))])).toMatchObject([{ kind: 'known', fresh: false }]);
      now.advance(DEFAULT_RETENTION_MS - 1);
      expect(await kit.stateOfJob(store, job('a', 5))).toBe('done');
    });
  });
}

function describeBacklog(suite: StoreSuite): void {
  describe('backlog', () => {
    test('is empty at first', async () => {
      const { store } = await suite.open();
      const queued = [0, 1, 2, 3].map((each) => ({
        class: each,
        jobs: 0,
        iterations: 0,
        oldestQueuedAt: null,
      }));
      expect(await store.backlog()).toEqual({ queued, running: 0 });
    });

    test('counts jobs and iterations left by class, and the oldest', async () => {
      const under = await suite.open();
      const { store } = under;
      const first = await store.submit([job('a'), job('a', 5_000_000)]);
      await kit.tick(under, suite.abilities);
      await store.submit([job('b'), job('c', 5_000_000_000), job('d')]);
      await store.claim(WORKER, { ids: [job('d').id] });
      const { queued, running } = await store.backlog();
      expect(running).toBe(1);
      expect(queued.map((each) => each.jobs)).toEqual([2, 1, 0, 1]);
      expect(queued.map((each) => each.iterations)).toEqual([99_998, 4_999_999, 0, 4_999_999_999]);
      const { queuedAt } = (first[0] as { job: { queuedAt: number } }).job;
      expect(queued.slice(0, 2).map((each) => each.oldestQueuedAt)).toEqual([queuedAt, queuedAt]);
      expect(queued[2]!.oldestQueuedAt).toBeNull();
    });
  });
}

function describeReopen(suite: StoreSuite): void {
  const reopened = kit.testWith(suite, 'reopen');
  describe('after a crash', () => {
    reopened('everything that was acknowledged is there', async () => {
      const under = await suite.open();
      const long = job('long', 5_000_000);
      await under.store.submit([job('queued'), computed(job('done', 2_000)), job('gone'), long]);
      await under.store.cancel(kit.TENANT, [job('gone').id]);
      const states = await Promise.all(
        [job('queued'), job('done', 2_000), job('gone'), long].map((each) =>
          kit.viewOfJob(under.store, each),
        ),
      );
      const backlog = await under.store.backlog();
      const store = await under.reopen!();
      const after = await Promise.all(
        [job('queued'), job('done', 2_000), job('gone'), long].map((each) => kit.viewOfJob(store, each)),
      );
      expect(after).toEqual(states);
      expect(await store.backlog()).toEqual(backlog);
      expect(await store.submit([computed(job('done', 2_000))])).toMatchObject([
        { kind: 'known', fresh: false },
      ]);
      expect(await store.submit([job('done', 3_000)])).toMatchObject([{ job: { position: 2_000 } }]);
    });

    reopened('nobody holds a job any more, and that was one death of each worker', async () => {
      const under = await suite.open();
      await kit.running(under.store, job('a'));
      await under.store.checkpoint(WORKER, [checkpointOf(job('a'), 700)]);
      const store = await under.reopen!();
      expect(await kit.liveJob(store, job('a'))).toMatchObject({ owner: null, position: 700, attempts: 1 });
      expect(await store.owned(WORKER)).toEqual([]);
      await store.claim(WORKER, { ids: [job('a').id] });
      expect((await store.sweep(SWEEP)).requeued).toMatchObject([{ id: job('a').id, attempts: 2 }]);
    });

    reopened(`a job that takes the process down ${MAX_ATTEMPTS} times is given up`, async () => {
      const under = await suite.open();
      let { store } = under;
      await store.submit([job('a')]);
      for (let crash = 0; crash < MAX_ATTEMPTS; crash++) {
        expect(await store.claim(WORKER, { class: 0, limit: 1 })).toHaveLength(1);
        store = await under.reopen!();
      }
      expect(await kit.stateOfJob(store, job('a'))).toBe('failed');
      expect(await store.claim(WORKER, { class: 0, limit: 1 })).toEqual([]);
    });
  });
}
