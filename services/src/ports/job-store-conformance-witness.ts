import { expect } from '@jest/globals';
import { COST_CLASSES } from '../jobs/cost.ts';
import { stateOf, type Digest, type JobId, type JobView, type LiveJob } from '../jobs/job.ts';
import { HISTORY_JOBS, HISTORY_WORKERS, type Event, type Report } from './job-store-conformance-history.ts';
import * as kit from './job-store-conformance-kit.ts';
import type { JobStore, Submission, Submitted } from './job-store.ts';

const IDS = HISTORY_JOBS.map(({ id }) => id);

/**
 * Does what several clients want at the same time, and remembers what each was told: whatever the order was, some things
 * hold of every answer, and more of what is there in the end.
 */
export class Witness {
  readonly #acknowledged = new Set<JobId>();
  readonly #done = new Map<JobId, Digest>();
  readonly #furthest = new Map<JobId, LiveJob>();
  /** Whether jobs can begin afresh: then positions may fall. */
  readonly #cancels: boolean;

  constructor(cancels: boolean) {
    this.#cancels = cancels;
  }

  /** One client: one event after the other, and a look at everything in between. */
  async live(store: JobStore, events: readonly Event[]): Promise<void> {
    for (const event of events) {
      await this.#do(store, event);
      await this.look(store);
    }
  }

  async look(store: JobStore): Promise<void> {
    const done = new Map(this.#done);
    const furthest = new Map(this.#furthest);
    for (const tenant of ['a', 'b']) {
      const views = await store.get(tenant, IDS);
      for (const [at, view] of views.entries()) {
        const { id, tenant: owner } = HISTORY_JOBS[at]!;
        if (owner !== tenant) expectSame(view, null);
        else this.#see(id, view, { done: done.get(id), before: furthest.get(id) });
      }
    }
  }

  #see(
    id: JobId,
    view: JobView | null,
    { done, before }: { readonly done: Digest | undefined; readonly before: LiveJob | undefined },
  ): void {
    if (done !== undefined) expectDone(view, done);
    if (view?.kind === 'result' && view.result.outcome === 'done') this.#seeDone(id, view.result.digest!);
    if (view?.kind !== 'live') return;
    const { job } = view;
    expectSame(job.digest, kit.digestAt(job.chain, job.position));
    if (before && !this.#cancels) expectNotBehind(job, before);
    const known = this.#furthest.get(id);
    if (!known || job.position > known.position) this.#furthest.set(id, job);
  }

  #seeDone(id: JobId, digest: Digest): void {
    const { chain, iterations } = HISTORY_JOBS.find((each) => each.id === id)!;
    expectSame(digest, kit.digestAt(chain, iterations));
    this.#done.set(id, digest);
  }

  #seeSubmitted(answer: Submitted): void {
    const { id } = 'job' in answer ? answer.job : answer.result;
    expect(answer.kind).not.toBe('contradiction');
    this.#acknowledged.add(id);
    if (answer.kind === 'known') this.#seeDone(id, answer.result.digest!);
  }

  async #do(store: JobStore, event: Event): Promise<void> {
    switch (event.kind) {
      case 'submit':
        for (const answer of await store.submit(event.batch.map(submissionOf))) this.#seeSubmitted(answer);
        return;
      case 'claimIds':
        await this.#claim(store, event.worker, { ids: event.batch.map(({ id }) => id) });
        return;
      case 'claimOldest':
        await this.#claim(store, event.worker, { class: event.class, limit: event.limit });
        return;
      case 'checkpoint': {
        const answers = await store.checkpoint(event.worker, event.batch.map(reportOf));
        expect(answers).not.toContain('contradiction');
        return;
      }
      case 'release':
        await store.release(event.worker, event.batch.map(reportOf));
        return;
      case 'complete': {
        const batch = event.batch.map(({ facts }) => kit.completionOf(facts, event.worker));
        const answers = await store.complete(batch);
        expect(answers).not.toContain('contradiction');
        if (!this.#cancels) expect(answers).not.toContain('cancelled');
        batch.forEach(({ id, digest }, at) => answers[at] !== 'cancelled' && this.#seeDone(id, digest));
        return;
      }
      case 'cancel':
        if (this.#cancels)
          await store.cancel(
            event.tenant,
            event.batch.map(({ id }) => id),
          );
        return;
      case 'renew':
        return store.renew(event.worker, event.leaseMs);
      default:
        await store.sweep({ forgottenAfterMs: kit.DAY_MS, limit: 1_000 });
    }
  }

  async #claim(store: JobStore, worker: string, wish: Parameters<JobStore['claim']>[1]): Promise<void> {
    const held = await store.claim(worker, wish);
    expect(new Set(held.map(({ id }) => id)).size).toBe(held.length);
    for (const { owner } of held) expect(owner).toBe(worker);
  }

  /** When all is quiet: nothing acknowledged is lost, and everybody who counts counts the same. */
  async conclude(store: JobStore): Promise<void> {
    await this.look(store);
    const views = (await Promise.all(['a', 'b'].map((tenant) => store.get(tenant, IDS)))).flat();
    const known = views.filter((view) => view !== null);
    const ids = new Set(kit.idsOf(known));
    for (const id of this.#acknowledged) expect(ids).toContain(id);
    if (!this.#cancels) expect(known.map(stateOf)).not.toContain('cancelled');
    const live = known.flatMap((view) => (view.kind === 'live' ? [view.job] : []));
    await expectCounts(store, live);
    for (const tenant of ['a', 'b']) {
      const listed = (await kit.pagesOf(store, { tenant, limit: 3 })).flat();
      const mine = known.filter((view) => (view.kind === 'live' ? view.job : view.result).tenant === tenant);
      expect(kit.idsOf(listed).sort()).toEqual(kit.idsOf(mine).sort());
    }
  }
}

async function expectCounts(store: JobStore, live: readonly LiveJob[]): Promise<void> {
  const { queued, running } = await store.backlog();
  expect(running).toBe(live.filter(({ owner }) => owner !== null).length);
  for (const each of COST_CLASSES) {
    const waiting = live.filter((job) => job.owner === null && job.class === each);
    const iterations = waiting.reduce((sum, job) => sum + job.iterations - job.position, 0);
    expect(queued[each]).toMatchObject({ jobs: waiting.length, iterations });
  }
  for (const worker of HISTORY_WORKERS) {
    const owned = (await store.owned(worker)).map(({ id }) => id).sort();
    expect(owned).toEqual(
      live
        .filter(({ owner }) => owner === worker)
        .map(({ id }) => id)
        .sort(),
    );
  }
}

/** `expect` makes its matchers each time, which takes longer than all else where views are compared by the ten thousand. */
function expectSame(found: unknown, expected: unknown): void {
  if (!Object.is(found, expected)) expect(found).toBe(expected);
}

function expectDone(view: JobView | null, digest: Digest): void {
  if (view?.kind === 'result' && view.result.outcome === 'done' && view.result.digest === digest) return;
  expect(view).toMatchObject({ result: { outcome: 'done', digest } });
}

function expectNotBehind(job: LiveJob, before: LiveJob): void {
  if (!(job.position >= before.position)) expect(job.position).toBeGreaterThanOrEqual(before.position);
}

/** Nobody's hardware is broken here: then one digest per id is all there can be. */
function submissionOf({ facts, digest }: Extract<Event, { kind: 'submit' }>['batch'][number]): Submission {
  return digest === 'none' ? facts : kit.computed(facts);
}

function reportOf({ facts, share }: Report): ReturnType<typeof kit.checkpointOf> {
  return kit.checkpointOf(facts, Math.max(1, Math.floor(facts.iterations * share)));
}
