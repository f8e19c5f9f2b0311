import { describe, expect, test } from '@jest/globals';
import type { StoreSuite } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';

const { checkpointOf, completionOf, job, TENANT, WORKER } = kit;

/** Jobs that somebody does not want any more. */
export function describeCancel(suite: StoreSuite): void {
  describe('cancel', () => {
    test('ends a queued job', async () => {
      const { store } = await suite.open();
      await store.submit([job('a')]);
      const [answer] = await store.cancel(TENANT, [job('a').id]);
      const result = {
        ...job('a'),
        outcome: 'cancelled',
        digest: null,
        reason: null,
        computed: 0,
        worker: null,
      };
      expect(answer).toMatchObject({ cancelled: true, view: { kind: 'result', result } });
      expect(await kit.viewOfJob(store, job('a'))).toEqual(answer!.view);
      expect(await store.claim(WORKER, { class: 0, limit: 5 })).toEqual([]);
      expect((await store.backlog()).queued[0]).toEqual({
        class: 0,
        jobs: 0,
        iterations: 0,
        oldestQueuedAt: null,
      });
    });

    test('ends a running job; its worker learns that it is lost', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 700)]);
      const [answer] = await store.cancel(TENANT, [job('a').id]);
      expect(answer).toMatchObject({ cancelled: true, view: { result: { computed: 699, worker: WORKER } } });
      expect(await store.checkpoint(WORKER, [checkpointOf(job('a'), 800)])).toEqual(['lost']);
      expect(await store.release(WORKER, [checkpointOf(job('a'), 800)])).toEqual([false]);
      expect(await store.owned(WORKER)).toEqual([]);
      expect(await kit.stateOfJob(store, job('a'))).toBe('cancelled');
    });

    test('leaves what has ended as it is, and says what that is', async () => {
      const { store } = await suite.open();
      await store.submit([kit.computed(job('done', 5)), job('a')]);
      const ids = [job('done', 5).id, job('a').id, job('unknown').id, job('a').id];
      const answers = await store.cancel(TENANT, ids);
      expect(answers.map((answer) => answer && answer.cancelled)).toEqual([false, true, null, false]);
      expect(answers[0]).toMatchObject({ view: { result: { outcome: 'done' } } });
      expect(answers[3]!.view).toEqual(answers[1]!.view);
    });

    test('does not outlast the digest: a job that is finished all the same is done', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.cancel(TENANT, [job('a').id]);
      expect(await store.complete([completionOf(job('a'))])).toEqual(['stored']);
      expect(await kit.stateOfJob(store, job('a'))).toBe('done');
    });

    test('that races the end of its job loses, whichever is first', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(40);
      await store.submit(all);
      await store.claim(WORKER, { class: 0, limit: 40 });
      await Promise.all(
        all.flatMap((each, number) => {
          const complete = (): Promise<unknown> => store.complete([completionOf(each)]);
          const cancel = (): Promise<unknown> => store.cancel(TENANT, [each.id]);
          return number % 2 === 0 ? [cancel(), complete()] : [complete(), cancel()];
        }),
      );
      const views = await store.get(
        TENANT,
        all.map(({ id }) => id),
      );
      expect(views).toMatchObject(all.map(() => ({ kind: 'result', result: { outcome: 'done' } })));
      expect(await store.backlog()).toMatchObject({ running: 0, queued: [{ jobs: 0 }, {}, {}, {}] });
    });

    test('is undone by a new submission, which starts afresh', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.cancel(TENANT, [job('a').id]);
      expect(await store.submit([job('a')])).toMatchObject([
        { kind: 'created', job: { owner: null, position: 1 } },
      ]);
      expect(await kit.stateOfJob(store, job('a'))).toBe('queued');
      expect(await store.claim(WORKER, { ids: [job('a').id] })).toHaveLength(1);
      expect(await kit.stateOfJob(store, job('a'))).toBe('running');
      expect(await store.complete([completionOf(job('a'))])).toEqual(['stored']);
      expect(await kit.stateOfJob(store, job('a'))).toBe('done');
    });

    test('that races a new submission loses none: the job is live or cancelled, and can be submitted again', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(40);
      await store.submit(all);
      const answers = await Promise.all(
        all.map(async (each) => {
          const [[cancelled], [submitted]] = await Promise.all([
            store.cancel(TENANT, [each.id]),
            store.submit([each]),
          ]);
          return { cancelled: cancelled!.cancelled, created: submitted!.kind === 'created' };
        }),
      );
      for (const [number, { cancelled, created }] of answers.entries()) {
        const expected = cancelled && !created ? 'cancelled' : 'queued';
        expect(await kit.stateOfJob(store, all[number]!)).toBe(expected);
      }
      await store.submit(all);
      const views = await store.get(
        TENANT,
        all.map(({ id }) => id),
      );
      expect(views).toMatchObject(all.map(() => ({ kind: 'live' })));
    });
  });
}
