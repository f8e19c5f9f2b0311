import { describe, expect, test } from '@jest/globals';
import { JOB_ID_PATTERN } from '../jobs/id.ts';
import { stateOf, type JobFacts, type JobState } from '../jobs/job.ts';
import type { StoreSuite, StoreUnderTest } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';
import { InvalidCursorError, type JobStore } from './job-store.ts';

const { computed, idsOf, job, pagesOf, TENANT, WORKER } = kit;

/** Lists: what there is, each thing once, however many pages it takes. */
export function describeList(suite: StoreSuite): void {
  describeOrder(suite);
  describeCursor(suite);
}

/** Some of each state; the results at different times. Returns the ids in the order of the list. */
async function fill(under: StoreUnderTest, suite: StoreSuite): Promise<Record<JobState, string[]>> {
  const { store } = under;
  const named = (prefix: string, count: number): JobFacts[] =>
    Array.from({ length: count }, (_, number) => job(`${prefix} ${number}`));
  const ids = (facts: readonly JobFacts[]): string[] => facts.map(({ id }) => id);
  const [queued, held, gone, lost] = [
    named('queued', 7),
    named('held', 5),
    named('gone', 4),
    named('lost', 2),
  ];
  const done: JobFacts[] = [];
  await store.renew(WORKER, kit.DAY_MS);
  await store.submit([...queued, ...held, ...gone, ...lost]);
  await fail(store, ids(lost));
  for (const each of named('done', 9)) {
    await kit.tick(under, suite.abilities);
    await store.submit([computed(each)]);
    done.unshift(each);
    const next = gone[done.length - 1];
    if (next) await store.cancel(TENANT, [next.id]);
  }
  await store.claim(WORKER, { ids: ids(held) });
  // What ends at the moment at which a list begins stands among the live jobs.
  await kit.tick(under, suite.abilities);
  return {
    queued: ids(queued).sort(),
    running: ids(held).sort(),
    done: ids(done),
    cancelled: ids(gone).reverse(),
    failed: ids(lost).sort(),
  };
}

async function fail(store: JobStore, ids: readonly string[]): Promise<void> {
  for (let death = 0; death < 20; death++) {
    await store.claim('ghost', { ids });
    await kit.die(store, 'ghost');
  }
}

function describeOrder(suite: StoreSuite): void {
  describe('list', () => {
    test('is empty at first', async () => {
      const { store } = await suite.open();
      expect(await store.list({ tenant: TENANT, state: null, cursor: null, limit: 1 })).toEqual({
        items: [],
        next: null,
      });
    });

    test.each([1, 2, 5, 12, 13, 1_000])(
      'shows live jobs by id, then results, the newest first, in pages of %d',
      async (limit) => {
        const under = await suite.open();
        const expected = await fill(under, suite);
        const views = (await pagesOf(under.store, { limit })).flat();
        const live = views.filter(({ kind }) => kind === 'live');
        expect(views.slice(0, live.length)).toEqual(live);
        expect(idsOf(live)).toEqual([...expected.queued, ...expected.running].sort());
        const results = views.flatMap((view) => (view.kind === 'result' ? [view.result] : []));
        const { done, cancelled, failed } = expected;
        expect(results.map(({ id }) => id).sort()).toEqual([...done, ...cancelled, ...failed].sort());
        const times = results.map(({ finishedAt }) => finishedAt);
        expect(times).toEqual(times.toSorted((a, b) => b - a));
      },
    );

    test.each(['queued', 'running', 'done', 'cancelled', 'failed'] as const)(
      'shows only what is %s',
      async (state) => {
        const under = await suite.open();
        const expected = await fill(under, suite);
        for (const limit of [2, 100]) {
          const views = (await pagesOf(under.store, { state, limit })).flat();
          expect([...new Set(views.map(stateOf))]).toEqual([state]);
          const ids = idsOf(views);
          if (state === 'failed') expect(ids.sort()).toEqual(expected[state]);
          else expect(ids).toEqual(expected[state]);
        }
      },
    );

    test('shows jobs as get does', async () => {
      const under = await suite.open();
      await fill(under, suite);
      const views = (await pagesOf(under.store, {})).flat();
      expect(await under.store.get(TENANT, idsOf(views))).toEqual(views);
    });

    test('shows a tenant nothing of another', async () => {
      const under = await suite.open();
      await fill(under, suite);
      const theirs = [job('queued 0', 50_000, 'b'), computed(job('done 0', 50_000, 'b'))];
      await under.store.submit(theirs);
      expect(idsOf((await pagesOf(under.store, { tenant: 'b' })).flat())).toEqual(theirs.map(({ id }) => id));
      const mine = (await pagesOf(under.store, {})).flat();
      expect(mine).toHaveLength(27);
      expect(new Set(mine.map((view) => (view.kind === 'live' ? view.job : view.result).tenant))).toEqual(
        new Set([TENANT]),
      );
    });

    test('shows a job that was cancelled and submitted again once, as it is now', async () => {
      const { store } = await suite.open();
      await store.submit([job('a')]);
      await store.cancel(TENANT, [job('a').id]);
      await store.submit([job('a')]);
      expect((await pagesOf(store, {})).flat()).toMatchObject([{ kind: 'live', job: { id: job('a').id } }]);
      expect((await pagesOf(store, { state: 'cancelled' })).flat()).toEqual([]);
      expect((await pagesOf(store, { state: 'queued' })).flat()).toHaveLength(1);
    });
  });
}

function describeCursor(suite: StoreSuite): void {
  describe('the pages of a list', () => {
    test('end where there is nothing more: a full last page has no next', async () => {
      const { store } = await suite.open();
      await store.submit([...kit.jobs(4), ...kit.jobs(6, 7).map(computed)]);
      expect((await pagesOf(store, { limit: 5 })).map((page) => page.length)).toEqual([5, 5]);
      expect((await pagesOf(store, { limit: 4 })).map((page) => page.length)).toEqual([4, 4, 2]);
    });

    test('show everything that was there once, while more comes', async () => {
      const under = await suite.open();
      const expected = await fill(under, suite);
      let number = 0;
      const seen = await pagesOf(under.store, { limit: 3 }, async () => {
        await kit.tick(under, suite.abilities);
        await under.store.submit([job(`later ${number}`), computed(job(`later and done ${number++}`))]);
      });
      const ids = idsOf(seen.flat());
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of Object.values(expected).flat()) expect(ids).toContain(id);
    });

    test.each([1, 3, 7])('show each job once while jobs end between pages of %d', async (limit) => {
      const under = await suite.open();
      const { store } = under;
      const before = kit.jobs(6, 7).map(computed);
      const all = Array.from({ length: 20 }, (_, number) => job(`ends ${number}`));
      await store.submit([...before, ...all]);
      const expected = [...before, ...all].map(({ id }) => id).sort();
      const byId = all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      await kit.tick(under, suite.abilities);
      // Of what was shown and of what comes later, some end after each page.
      const [first, last] = [[...byId], byId.toReversed()];
      const seen = await pagesOf(store, { limit }, async () => {
        const ending = [first.shift(), last.shift()].filter((each) => each !== undefined);
        const [done, cancelled] = ending;
        if (done) await store.complete([kit.completionOf(done)]);
        if (cancelled) await store.cancel(TENANT, [cancelled.id]);
      });
      expect(idsOf(seen.flat()).sort()).toEqual(expected);
      // A list that begins now has the results again, the newest first.
      const { items } = await store.list({ tenant: TENANT, state: 'done', cursor: null, limit: 100 });
      const times = items.map((view) => (view.kind === 'result' ? view.result.finishedAt : 0));
      expect(times).toEqual(times.toSorted((a, b) => b - a));
    });

    test('go on from a cursor of an earlier version, which does not say when the list began', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(10);
      await store.submit(all);
      const ids = all.map(({ id }) => id).sort();
      const cursor = Buffer.from(JSON.stringify([ids[3]])).toString('base64url');
      const { items } = await store.list({ tenant: TENANT, state: null, cursor, limit: 100 });
      expect(idsOf(items)).toEqual(ids.slice(4));
    });

    test('do not lose a job that ends meanwhile', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(10);
      await store.submit(all);
      const byId = all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const first = await store.list({ tenant: TENANT, state: null, cursor: null, limit: 5 });
      await store.complete(byId.slice(4, 7).map((each) => kit.completionOf(each)));
      const second = await store.list({ tenant: TENANT, state: null, cursor: first.next, limit: 100 });
      const seen = new Set(idsOf([...first.items, ...second.items]));
      expect(seen).toEqual(new Set(byId.map(({ id }) => id)));
    });

    test('go through many results of one moment', async () => {
      const { store } = await suite.open();
      const all = kit.jobs(50, 7);
      await store.submit(all.map(computed));
      const ids = idsOf((await pagesOf(store, { limit: 7 })).flat());
      expect(ids.toSorted()).toEqual(all.map(({ id }) => id).sort());
    });

    test('cannot be asked for with something that is no cursor', async () => {
      const under = await suite.open();
      await fill(under, suite);
      const { next } = await under.store.list({ tenant: TENANT, state: null, cursor: null, limit: 3 });
      expect(next).not.toBeNull();
      expect(next).not.toMatch(JOB_ID_PATTERN);
      const made = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const garbage = [
        '',
        'x',
        '!',
        `${next!}A`,
        next!.slice(0, -1),
        `${next!}=`,
        made(null),
        made([]),
        made({ id: 1 }),
      ];
      for (const cursor of [
        ...garbage,
        made(['x']),
        made([job('a').id, 'x']),
        made([job('a').id, 1.5]),
        made([job('a').id, 'live', 'x']),
      ]) {
        const query = { tenant: TENANT, state: null, cursor, limit: 3 };
        await expect(under.store.list(query)).rejects.toThrow(InvalidCursorError);
      }
    });
  });
}
