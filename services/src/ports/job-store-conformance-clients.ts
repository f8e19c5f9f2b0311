import { describe, expect, test } from '@jest/globals';
import type { StoreSuite, StoreUnderTest } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';
import type { JobStore } from './job-store.ts';

const { checkpointOf, completionOf, computed, job, OTHER, TENANT, WORKER } = kit;
const SWEEP = { forgottenAfterMs: kit.DAY_MS, limit: 1_000 };

/** Two clients of one store, or where there can be only one, what it is asked twice at the same time. */
async function bothClients(suite: StoreSuite): Promise<[JobStore, JobStore, StoreUnderTest]> {
  const under = await suite.open();
  return [under.store, (await under.another?.()) ?? under.store, under];
}

/** Several processes use one store: nothing is done twice, and nothing gets lost between them. */
export function describeClients(suite: StoreSuite): void {
  describe('two clients', () => {
    describeMeeting(suite);
    describeLate(suite);
  });
}

function describeMeeting(suite: StoreSuite): void {
  test('see at once what the other was told is stored', async () => {
    const [one, two] = await bothClients(suite);
    await one.submit([job('a'), computed(job('b', 5))]);
    expect(await kit.stateOfJob(two, job('a'))).toBe('queued');
    expect(await two.submit([job('b', 5)])).toMatchObject([{ kind: 'known', fresh: false }]);
    expect(await two.claim(WORKER, { ids: [job('a').id] })).toHaveLength(1);
    expect(await one.owned(WORKER)).toHaveLength(1);
  });

  test('who submit the same jobs at the same time make one of each', async () => {
    const [one, two] = await bothClients(suite);
    const all = kit.jobs(50);
    const calls = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? one : two).submit(all));
    const answers = await Promise.all(calls);
    for (const [at] of all.entries()) {
      const kinds = answers.map((answer) => answer[at]!.kind).sort();
      expect(kinds).toEqual(['created', ...Array.from({ length: 7 }, () => 'joined')]);
    }
    expect((await one.backlog()).queued[0]).toMatchObject({ jobs: 50, iterations: 50 * 49_999 });
  });

  test('who bring the same digests at the same time store one of each', async () => {
    const [one, two] = await bothClients(suite);
    const all = kit.jobs(50, 7).map(computed);
    const calls = Array.from({ length: 4 }, (_, i) => (i % 2 === 0 ? one : two).submit(all));
    const answers = await Promise.all(calls);
    for (const [at] of all.entries()) {
      const fresh = answers.map((answer) => answer[at]!).filter((each) => 'fresh' in each && each.fresh);
      expect(fresh).toHaveLength(1);
    }
  });

  test('who claim at the same time get different jobs, and all of them', async () => {
    const [one, two] = await bothClients(suite);
    const all = kit.jobs(200);
    await one.submit(all);
    const ids = all.map(({ id }) => id);
    const held = await Promise.all([
      one.claim('w1', { ids }),
      two.claim('w2', { ids: ids.toReversed() }),
      one.claim('w3', { class: 0, limit: 80 }),
      two.claim('w4', { class: 0, limit: 80 }),
    ]);
    const taken = held.flat().map(({ id }) => id);
    expect(taken.toSorted()).toEqual(ids.toSorted());
    for (const [at, jobs] of held.entries()) {
      const owned = await one.owned(`w${at + 1}`);
      expect(owned.map(({ id }) => id).sort()).toEqual(jobs.map(({ id }) => id).sort());
    }
  });

  test('who sweep at the same time requeue a job once', async () => {
    const [one, two] = await bothClients(suite);
    await one.submit(kit.jobs(30));
    await one.claim('ghost', { class: 0, limit: 30 });
    await Promise.all([one.sweep(SWEEP), two.sweep(SWEEP), one.sweep(SWEEP)]);
    const views = await two.get(
      TENANT,
      kit.jobs(30).map(({ id }) => id),
    );
    expect(views).toMatchObject(kit.jobs(30).map(() => ({ job: { owner: null, attempts: 1 } })));
  });

  test('who cancel at the same time cancel once, and both are told so', async () => {
    const [one, two] = await bothClients(suite);
    const all = kit.jobs(20);
    await one.submit(all);
    const ids = all.map(({ id }) => id);
    const [first, second] = await Promise.all([one.cancel(TENANT, ids), two.cancel(TENANT, ids)]);
    for (const [at] of ids.entries()) {
      expect([first[at]!.cancelled, second[at]!.cancelled].filter(Boolean)).toHaveLength(1);
      for (const answer of [first, second])
        expect(answer[at]!.view).toMatchObject({ result: { outcome: 'cancelled' } });
    }
  });

  test('who finish a job at the same time store one result; another digest is refused', async () => {
    const [one, two] = await bothClients(suite);
    const all = kit.jobs(20);
    await one.submit(all);
    const right = all.map((each) => completionOf(each));
    const wrong = right.map((each) => ({
      ...each,
      digest: kit.wrongDigest(each.chain, each.iterations),
    }));
    const [first, second, other] = await Promise.all([
      one.complete(right),
      two.complete(right),
      two.complete(wrong),
    ]);
    for (const [at, { id }] of all.entries()) {
      const answers = [first[at]!, second[at]!, other[at]!];
      expect(answers.filter((each) => each === 'stored')).toHaveLength(1);
      const [view] = await one.get(TENANT, [id]);
      const stays = other[at] === 'stored' ? wrong[at]! : right[at]!;
      expect(view).toMatchObject({ result: { outcome: 'done', digest: stays.digest } });
      expect(answers.toSorted()).toEqual(
        other[at] === 'stored'
          ? ['contradiction', 'contradiction', 'stored']
          : ['contradiction', 'known', 'stored'],
      );
    }
  });

  test('of whom one finishes a job that the other cancels and submits: it is done, or queued again', async () => {
    const [one, two] = await bothClients(suite);
    const all = kit.jobs(40);
    await one.submit(all);
    await one.claim(WORKER, { class: 0, limit: 40 });
    await Promise.all(
      all.flatMap((each) => [
        one.complete([completionOf(each)]),
        two.cancel(TENANT, [each.id]).then(() => two.submit([each])),
        two.submit([each]),
      ]),
    );
    // Where the result came between the cancellation and the submission.
    for (const each of all) expect(['done', 'queued']).toContain(await kit.stateOfJob(two, each));
    await two.complete(all.map((each) => completionOf(each)));
    for (const each of all) expect(await kit.stateOfJob(two, each)).toBe('done');
    expect(await one.backlog()).toMatchObject({ running: 0, queued: [{ jobs: 0 }, {}, {}, {}] });
  });
}

/** A worker that counts as dead, but is not: it was stopped, or cut off, and comes back. */
function describeLate(suite: StoreSuite): void {
  /** WORKER holds the job at 500 and is taken for dead; OTHER holds it at 600. */
  async function presumedDead(): Promise<[JobStore, JobStore]> {
    const [one, two] = await bothClients(suite);
    await kit.running(one, job('a'));
    await one.checkpoint(WORKER, [checkpointOf(job('a'), 500)]);
    await one.renew(WORKER, 0);
    expect((await two.sweep(SWEEP)).requeued).toMatchObject([{ position: 500 }]);
    await kit.running(two, job('a'), OTHER);
    await two.checkpoint(OTHER, [checkpointOf(job('a'), 600)]);
    return [one, two];
  }

  test.each([
    { position: 550, stands: 600 },
    { position: 700, stands: 700 },
  ])('a late checkpoint at $position leaves the job at $stands, with its new worker', async (late) => {
    const [one, two] = await presumedDead();
    expect(await one.checkpoint(WORKER, [checkpointOf(job('a'), late.position)])).toEqual(['lost']);
    expect(await kit.liveJob(two, job('a'))).toMatchObject({ position: late.stands, owner: OTHER });
    expect(await two.checkpoint(OTHER, [checkpointOf(job('a'), 650)])).toEqual(['kept']);
    const after = Math.max(late.stands, 650);
    expect(await kit.liveJob(two, job('a'))).toMatchObject({ position: after, owner: OTHER });
  });

  test('a late release changes nothing', async () => {
    const [one, two] = await presumedDead();
    expect(await one.release(WORKER, [checkpointOf(job('a'), 900)])).toEqual([false]);
    expect(await kit.liveJob(two, job('a'))).toMatchObject({ position: 600, owner: OTHER });
  });

  test('a late result counts, and the new worker learns that the job is lost', async () => {
    const [one, two] = await presumedDead();
    expect(await one.complete([completionOf(job('a'))])).toEqual(['stored']);
    expect(await two.checkpoint(OTHER, [checkpointOf(job('a'), 900)])).toEqual(['lost']);
    expect(await two.complete([completionOf(job('a'), OTHER)])).toEqual(['known']);
    expect(await kit.viewOfJob(two, job('a'))).toMatchObject({ result: { worker: WORKER } });
  });

  test('checkpoints of both at the same time: the larger position wins', async () => {
    const [one, two] = await presumedDead();
    const reports = Array.from({ length: 20 }, (_, i) => checkpointOf(job('a'), 1_000 + i));
    await Promise.all(
      reports.map((report, i) =>
        i % 2 === 0 ? one.checkpoint(WORKER, [report]) : two.checkpoint(OTHER, [report]),
      ),
    );
    expect(await kit.liveJob(two, job('a'))).toMatchObject({ ...kit.pointAt(job('a'), 1_019), owner: OTHER });
  });
}
