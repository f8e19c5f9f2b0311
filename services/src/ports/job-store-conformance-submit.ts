import { describe, expect, test } from '@jest/globals';
import { MAX_BATCH_ITEMS, MAX_ITERATIONS } from '../jobs/limits.ts';
import type { StoreSuite } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';

const { computed, job, TENANT, WORKER } = kit;

/** Submissions: equal jobs are one job, and nothing that is known is done again. */
export function describeSubmit(suite: StoreSuite): void {
  describe('submit', () => {
    test('makes a queued job at position 1', async () => {
      const { store } = await suite.open();
      const facts = job('new', 20_000_000);
      const [answer] = await store.submit([facts]);
      expect(answer).toMatchObject({ kind: 'created', job: { ...facts, position: 1, digest: facts.chain } });
      expect(answer).toMatchObject({ job: { class: 2, owner: null, attempts: 0 } });
      const { createdAt, queuedAt } = await kit.liveJob(store, facts);
      expect(queuedAt).toBe(createdAt);
      expect(await kit.viewOfJob(store, facts)).toEqual({
        kind: 'live',
        job: (answer as { job: unknown }).job,
      });
      expect(await kit.stateOfJob(store, facts)).toBe('queued');
    });

    test('takes equal jobs within a batch and across batches as one job', async () => {
      const { store } = await suite.open();
      const facts = job('twice');
      const answers = await store.submit([facts, facts]);
      const again = await store.submit([facts]);
      expect([...answers, ...again].map(({ kind }) => kind)).toEqual(['created', 'joined', 'joined']);
      expect((await store.backlog()).queued[0]!.jobs).toBe(1);
    });

    test('makes one job of equal submissions at the same time', async () => {
      const { store } = await suite.open();
      const answers = await Promise.all(Array.from({ length: 20 }, () => store.submit([job('rush')])));
      const kinds = answers.flat().map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'created')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'joined')).toHaveLength(19);
    });

    test('joins a running job and leaves it to its worker', async () => {
      const { store } = await suite.open();
      const held = await kit.running(store, job('busy'));
      expect(await store.submit([job('busy')])).toEqual([{ kind: 'joined', job: held }]);
    });

    test('answers a batch in order, each item by itself', async () => {
      const { store } = await suite.open();
      await store.submit([job('live'), computed(job('done'))]);
      const batch = [job('a'), job('live'), job('done'), computed(job('b')), job('b'), job('a')];
      const answers = await store.submit(batch);
      const words = answers.map((answer) =>
        answer.kind === 'known' && answer.fresh ? 'fresh' : answer.kind,
      );
      expect(words).toEqual(['created', 'joined', 'known', 'fresh', 'known', 'joined']);
      const ids = answers.map((answer) => ('job' in answer ? answer.job.id : answer.result.id));
      expect(ids).toEqual(batch.map(({ id }) => id));
    });

    test('answers an empty batch', async () => {
      const { store } = await suite.open();
      expect(await store.submit([])).toEqual([]);
    });

    test('takes the largest batch there is', async () => {
      const { store } = await suite.open();
      const batch = kit.jobs(MAX_BATCH_ITEMS, 3);
      const answers = await store.submit(batch);
      expect(answers.map((answer) => 'job' in answer && answer.job.id)).toEqual(batch.map(({ id }) => id));
      expect((await store.backlog()).queued[0]).toMatchObject({
        jobs: MAX_BATCH_ITEMS,
        iterations: 2 * MAX_BATCH_ITEMS,
      });
    });

    test('keeps apart what two tenants ask for', async () => {
      const { store } = await suite.open();
      const mine = job('same', 10, 'a');
      const theirs = job('same', 10, 'b');
      const answers = await store.submit([mine, theirs]);
      expect(answers.map(({ kind }) => kind)).toEqual(['created', 'created']);
      expect(await store.get('a', [theirs.id, mine.id])).toMatchObject([null, { job: { tenant: 'a' } }]);
      expect(await store.cancel('a', [theirs.id])).toEqual([null]);
      expect(await kit.stateOfJob(store, theirs)).toBe('queued');
    });

    test('knows nothing of ids that were never submitted', async () => {
      const { store } = await suite.open();
      expect(await store.get(TENANT, [job('x').id, 'no id at all', ''])).toEqual([null, null, null]);
    });
  });

  describe('submit with a digest', () => {
    test('goes straight into the results', async () => {
      const { store } = await suite.open();
      const facts = job('short', 7);
      const [answer] = await store.submit([computed(facts)]);
      const digest = kit.digestAt(facts.chain, 7);
      const result = {
        ...facts,
        digest,
        outcome: 'done',
        reason: null,
        computed: 6,
        worker: null,
        startedAt: null,
      };
      expect(answer).toMatchObject({ kind: 'known', fresh: true, result });
      expect(await kit.viewOfJob(store, facts)).toEqual({
        kind: 'result',
        result: (answer as { result: unknown }).result,
      });
      expect(await store.claim(WORKER, { ids: [facts.id] })).toEqual([]);
    });

    test('is fresh only once', async () => {
      const { store } = await suite.open();
      const [first, second] = await store.submit([computed(job('x', 3)), computed(job('x', 3))]);
      const [third] = await store.submit([computed(job('x', 3))]);
      expect(first).toMatchObject({ kind: 'known', fresh: true });
      expect(second).toMatchObject({ kind: 'known', fresh: false });
      expect(third).toMatchObject({ kind: 'known', fresh: false });
    });

    test('ends the live job', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('held', 9));
      const [answer] = await store.submit([computed(job('held', 9))]);
      expect(answer).toMatchObject({ kind: 'known', fresh: true });
      expect(await store.owned(WORKER)).toEqual([]);
      expect((await store.backlog()).running).toBe(0);
    });

    test('replaces a cancelled result', async () => {
      const { store } = await suite.open();
      await store.submit([job('x', 9)]);
      await store.cancel(TENANT, [job('x', 9).id]);
      expect(await store.submit([computed(job('x', 9))])).toMatchObject([{ kind: 'known', fresh: true }]);
      expect(await kit.stateOfJob(store, job('x', 9))).toBe('done');
    });

    test('is refused when another digest is stored, which stays', async () => {
      const { store } = await suite.open();
      const facts = job('x', 9);
      await store.submit([computed(facts)]);
      const before = await kit.viewOfJob(store, facts);
      const [answer] = await store.submit([
        { ...facts, computed: { digest: kit.wrongDigest(facts.chain, 9) } },
      ]);
      expect(answer).toMatchObject({
        kind: 'contradiction',
        result: { digest: kit.digestAt(facts.chain, 9) },
      });
      expect(await kit.viewOfJob(store, facts)).toEqual(before);
    });
  });

  describe('iterations', () => {
    test.each([1, 2, 2 ** 31, 2 ** 32 + 1, 2 ** 51 + 1, MAX_ITERATIONS - 1, MAX_ITERATIONS])(
      '%d is exact all the way',
      async (iterations) => {
        const { store } = await suite.open({ reuseIterations: 1 });
        const facts = job('long', iterations);
        expect(await store.submit([facts])).toMatchObject([{ job: { iterations } }]);
        expect((await store.backlog()).queued.reduce((sum, each) => sum + each.iterations, 0)).toBe(
          iterations - 1,
        );
        const [held] = await store.claim(WORKER, { ids: [facts.id] });
        expect(held).toMatchObject({ iterations, position: 1 });
        if (iterations > 2) {
          await store.checkpoint(WORKER, [kit.checkpointOf(facts, iterations - 1)]);
          expect(await kit.liveJob(store, facts)).toMatchObject({ position: iterations - 1 });
        }
        expect(await store.complete([kit.completionOf(facts)])).toEqual(['stored']);
        expect(await kit.viewOfJob(store, facts)).toMatchObject({
          result: { iterations, computed: iterations - 1 },
        });
      },
    );
  });
}
