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
      expect(answer).toMatchObject({
        cancelled: true,
        view: { result: { computed: 699, worker: null, startedAt: null } },
      });
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

    test('holds: a result that comes later changes nothing, whoever looks', async () => {
      const under = await suite.open();
      const { store } = under;
      await kit.running(store, job('a'));
      await store.checkpoint(WORKER, [checkpointOf(job('a'), 700)]);
      const [answer] = await store.cancel(TENANT, [job('a').id]);
      await kit.tick(under, suite.abilities);
      for (let times = 0; times < 2; times++)
        expect(await store.complete([completionOf(job('a'))])).toEqual(['cancelled']);
      expect(await kit.viewOfJob(store, job('a'))).toEqual(answer!.view);
      expect((await kit.pagesOf(store, {})).flat()).toEqual([answer!.view]);
      expect((await kit.pagesOf(store, { state: 'done' })).flat()).toEqual([]);
      expect(await store.cancel(TENANT, [job('a').id])).toEqual([{ cancelled: false, view: answer!.view }]);
      expect(await store.submit([job('b')])).toMatchObject([{ kind: 'created' }]);
    });

    test('does not hold when the job was submitted again: then a late result is what somebody wants', async () => {
      const { store } = await suite.open();
      await kit.running(store, job('a'));
      await store.cancel(TENANT, [job('a').id]);
      await store.submit([job('a')]);
      expect(await store.complete([completionOf(job('a'))])).toEqual(['stored']);
      expect(await kit.stateOfJob(store, job('a'))).toBe('done');
    });

    test('that races the end of its job holds where it was answered so', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(40);
      await store.submit(all);
      await store.claim(WORKER, { class: 0, limit: 40 });
      const cancelled = new Set<string>();
      await Promise.all(
        all.flatMap((each, number) => {
          const complete = (): Promise<unknown> => store.complete([completionOf(each)]);
          const cancel = async (): Promise<void> => {
            const [answer] = await store.cancel(TENANT, [each.id]);
            if (answer!.cancelled) cancelled.add(each.id);
          };
          return number % 2 === 0 ? [cancel(), complete()] : [complete(), cancel()];
        }),
      );
      const views = await store.get(
        TENANT,
        all.map(({ id }) => id),
      );
      const outcomes = all.map(({ id }) => ({ outcome: cancelled.has(id) ? 'cancelled' : 'done' }));
      expect(views).toMatchObject(outcomes.map((result) => ({ kind: 'result', result })));
      expect(await store.backlog()).toMatchObject({ running: 0, queued: [{ jobs: 0 }, {}, {}, {}] });
    });

    test('is undone by a new submission, which goes on from the checkpoint', async () => {
      const { store } = await suite.open();
      const long = job('long', 20_000_000);
      await kit.running(store, long);
      await store.checkpoint(WORKER, [checkpointOf(long, 19_950_000)]);
      await store.cancel(TENANT, [long.id]);
      const begun = { ...kit.pointAt(long, 19_950_000), class: 0, owner: null };
      expect(await store.submit([long])).toMatchObject([{ kind: 'created', job: begun }]);
      expect(await kit.liveJob(store, long)).toMatchObject(begun);
      await store.cancel(TENANT, [long.id]);
      await store.submit([kit.computed(job('long', 19_960_000))]);
      expect(await store.submit([long])).toMatchObject([{ job: { position: 19_960_000 } }]);
    });

    test('is undone by a new submission', async () => {
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
