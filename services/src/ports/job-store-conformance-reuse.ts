import { describe, expect, test } from '@jest/globals';
import { jobFacts } from '../jobs/id.ts';
import { DEFAULT_RETENTION_MS } from '../jobs/limits.ts';
import type { StoreSuite } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';

const { computed, job, TENANT } = kit;

/** A chain that is known goes on from its largest known position; what is known in full is answered at once. */
export function describeReuse(suite: StoreSuite): void {
  describe('a known chain', () => {
    test('is gone on from at its largest known position below', async () => {
      const { store } = await suite.open();
      await store.submit([5_000, 9_000, 7_000, 30_000].map((length) => computed(job('c', length))));
      const [answer] = await store.submit([job('c', 20_000)]);
      expect(answer).toMatchObject({ kind: 'created', job: { ...kit.pointAt(job('c'), 9_000), class: 0 } });
      expect(await kit.liveJob(store, job('c', 20_000))).toEqual((answer as { job: unknown }).job);
    });

    test('makes the job cheaper: its class is by the iterations left', async () => {
      const { store } = await suite.open();
      await store.submit([computed(job('c', 20_000_000))]);
      expect(await store.submit([job('c', 20_050_000)])).toMatchObject([{ job: { class: 0 } }]);
      expect((await store.backlog()).queued[0]).toMatchObject({ jobs: 1, iterations: 50_000 });
    });

    test('helps the next item of the same batch', async () => {
      const { store } = await suite.open();
      const answers = await store.submit([computed(job('c', 5_000)), job('c', 6_000)]);
      expect(answers).toMatchObject([{ kind: 'known' }, { kind: 'created', job: { position: 5_000 } }]);
    });

    test('helps a job that was cancelled before', async () => {
      const { store } = await suite.open();
      await store.submit([job('c', 20_000)]);
      await store.cancel(TENANT, [job('c', 20_000).id]);
      await store.submit([computed(job('c', 9_000))]);
      expect(await store.submit([job('c', 20_000)])).toMatchObject([
        { kind: 'created', job: { position: 9_000 } },
      ]);
    });

    test('is not looked up below the number of iterations that is worth it', async () => {
      const { store } = await suite.open({ reuseIterations: 1_000 });
      await store.submit([computed(job('c', 999))]);
      expect(await store.submit([job('c', 5_000)])).toMatchObject([
        { kind: 'created', job: { position: 1 } },
      ]);
      await store.submit([computed(job('c', 1_000))]);
      expect(await store.submit([job('c', 6_000)])).toMatchObject([
        { kind: 'created', job: { position: 1_000 } },
      ]);
    });

    test('leaves a job that is live as it is', async () => {
      const { store } = await suite.open();
      await store.submit([job('c', 20_000)]);
      await store.submit([computed(job('c', 9_000))]);
      expect(await store.submit([job('c', 20_000)])).toMatchObject([
        { kind: 'joined', job: { position: 1 } },
      ]);
    });

    test('counts only where it is done', async () => {
      const { store } = await suite.open();
      await store.submit([job('c', 9_000)]);
      await store.cancel(TENANT, [job('c', 9_000).id]);
      expect(await store.submit([job('c', 20_000)])).toMatchObject([
        { kind: 'created', job: { position: 1 } },
      ]);
    });

    test('is not confused with one that begins alike', async () => {
      const { store } = await suite.open();
      const known = job('c', 9_000);
      const alike = `${known.chain.slice(0, 64)}${'0'.repeat(64)}`;
      await store.submit([computed(known)]);
      const [answer] = await store.submit([jobFacts(TENANT, alike, 20_000)]);
      expect(answer).toMatchObject({ kind: 'created', job: { position: 1, digest: alike } });
    });

    kit.testWith(suite, 'time')('counts until it expires', async () => {
      const { store, now } = await suite.open();
      await store.submit([computed(job('c', 9_000))]);
      now.advance(DEFAULT_RETENTION_MS);
      expect(await store.submit([job('c', 20_000)])).toMatchObject([
        { kind: 'created', job: { position: 1 } },
      ]);
    });
  });

  describe("another tenant's chain", () => {
    test.each([
      { sharedCache: true, position: 9_000 },
      { sharedCache: false, position: 1 },
    ])(
      'with sharedCache $sharedCache a longer job starts at $position',
      async ({ sharedCache, position }) => {
        const { store } = await suite.open({ sharedCache });
        await store.submit([computed(job('c', 9_000, 'other'))]);
        expect(await store.submit([job('c', 20_000)])).toMatchObject([
          { kind: 'created', job: { position } },
        ]);
      },
    );

    test("does not hide one's own when the cache is not shared", async () => {
      const { store } = await suite.open({ sharedCache: false });
      await store.submit([computed(job('c', 9_000, 'other')), computed(job('c', 5_000))]);
      expect(await store.submit([job('c', 20_000)])).toMatchObject([
        { kind: 'created', job: { position: 5_000 } },
      ]);
    });

    test('of equal length is the answer, and nobody computes anything', async () => {
      const { store } = await suite.open();
      await store.submit([computed(job('c', 9_000, 'other'))]);
      const [answer] = await store.submit([job('c', 9_000)]);
      const digest = kit.digestAt(job('c').chain, 9_000);
      const result = { ...job('c', 9_000), outcome: 'done', digest, computed: 0, worker: null };
      expect(answer).toMatchObject({ kind: 'known', fresh: false, result });
      expect(await kit.viewOfJob(store, job('c', 9_000))).toMatchObject({ kind: 'result', result });
    });

    test('of equal length says nothing when the cache is not shared', async () => {
      const { store } = await suite.open({ sharedCache: false });
      await store.submit([computed(job('c', 9_000, 'other'))]);
      expect(await store.submit([job('c', 9_000)])).toMatchObject([
        { kind: 'created', job: { position: 1 } },
      ]);
    });
  });
}
