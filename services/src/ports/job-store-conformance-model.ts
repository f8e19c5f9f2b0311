import { describe, expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { DEFAULT_RETENTION_MS } from '../jobs/limits.ts';
import type { JobView, LiveJob } from '../jobs/job.ts';
import {
  HISTORY_JOBS,
  HISTORY_WORKERS,
  historyArbitrary,
  type Event,
  type Report,
} from './job-store-conformance-history.ts';
import type { StoreSuite, StoreUnderTest } from './job-store-conformance-kit.ts';
import * as kit from './job-store-conformance-kit.ts';
import { Oracle } from './job-store-conformance-oracle.ts';
import type { Checkpoint, JobStore, StoreOptions, Submission } from './job-store.ts';

/** Random histories, with the state machine beside the store: both must say the same, to everybody, after each event. */
export function describeModel(suite: StoreSuite): void {
  describe('any history', () => {
    test.each([{ sharedCache: true }, { sharedCache: false }])(
      'ends where the state machine ends, with $sharedCache as sharedCache',
      async ({ sharedCache }) => {
        const options = { retentionMs: DEFAULT_RETENTION_MS, sharedCache, reuseIterations: 900 };
        const property = fc.asyncProperty(historyArbitrary(suite.abilities), async (history) => {
          const under = await suite.open(options);
          await new Replay(under, options, suite.abilities).run(history);
          await under.close();
        });
        await fc.assert(property, { numRuns: suite.abilities.histories, endOnFailure: false });
      },
      600_000,
    );
  });
}

const TIMES = new Set(['createdAt', 'queuedAt', 'startedAt', 'finishedAt', 'expiresAt', 'oldestQueuedAt']);

class Replay {
  readonly #under: StoreUnderTest;
  readonly #oracle: Oracle;
  readonly #timed: boolean;
  #store: JobStore;

  constructor(under: StoreUnderTest, options: StoreOptions, abilities: kit.StoreAbilities) {
    this.#under = under;
    this.#store = under.store;
    this.#timed = abilities.time;
    this.#oracle = new Oracle(options, () => under.now.ms());
  }

  async run(history: readonly Event[]): Promise<void> {
    for (const event of history) {
      await this.#step(event);
      await this.#compareReaders();
    }
    await this.#compareLists();
  }

  /** Times are compared only where the test decides what time it is. */
  #same(found: unknown, expected: unknown): void {
    const timeless = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value), (key, inner: unknown) => (TIMES.has(key) ? 0 : inner));
    if (isDeepStrictEqual(found, expected)) return;
    if (this.#timed) expect(found).toEqual(expected);
    else expect(timeless(found)).toEqual(timeless(expected));
  }

  async #step(event: Event): Promise<void> {
    const oracle = this.#oracle;
    switch (event.kind) {
      case 'submit': {
        const batch = event.batch.map(submissionOf);
        const found = await this.#store.submit(batch);
        const digests = found.map((each) => ('job' in each ? each.job.digest : each.result.digest));
        return this.#same(
          found,
          batch.map((each, at) => oracle.submit(each, digests[at] ?? null)),
        );
      }
      case 'claimIds': {
        const ids = event.batch.map(({ id }) => id);
        const held = await this.#store.claim(event.worker, { ids });
        return this.#same(byId(held), byId(ids.flatMap((id) => oracle.claim(event.worker, id) ?? [])));
      }
      case 'claimOldest':
        return this.#claimOldest(event);
      case 'checkpoint': {
        const found = await this.#store.checkpoint(event.worker, event.batch.map(reportOf));
        return this.#same(
          found,
          event.batch.map((each) => oracle.checkpoint(event.worker, each.facts.id, reportOf(each))),
        );
      }
      case 'release': {
        const found = await this.#store.release(event.worker, event.batch.map(reportOf));
        return this.#same(
          found,
          event.batch.map((each) => oracle.release(event.worker, each.facts.id, reportOf(each))),
        );
      }
      case 'complete': {
        const batch = event.batch.map(({ facts, right }) => ({
          ...kit.completionOf(facts, event.worker),
          ...(right ? {} : { digest: kit.wrongDigest(facts.chain, facts.iterations) }),
        }));
        return this.#same(
          await this.#store.complete(batch),
          batch.map((each) => oracle.complete(each)),
        );
      }
      default:
        return this.#stepOfOthers(event);
    }
  }

  async #stepOfOthers(
    event: Exclude<
      Event,
      { kind: 'submit' | 'claimIds' | 'claimOldest' | 'checkpoint' | 'release' | 'complete' }
    >,
  ): Promise<void> {
    const oracle = this.#oracle;
    switch (event.kind) {
      case 'cancel': {
        const ids = event.batch.map(({ id }) => id);
        const found = await this.#store.cancel(event.tenant, ids);
        return this.#same(
          found,
          ids.map((id) => oracle.cancel(event.tenant, id)),
        );
      }
      case 'renew':
        oracle.renew(event.worker, event.leaseMs);
        return this.#store.renew(event.worker, event.leaseMs);
      case 'sweep':
        return this.#sweep(this.#timed ? event.forgottenAfterMs : kit.DAY_MS);
      case 'advance':
        return this.#under.now.advance(event.ms);
      case 'reopen':
        oracle.crash();
        this.#store = await this.#under.reopen!();
    }
  }

  /** Which of jobs that were queued at the same moment a claim takes is up to the store: the oracle follows. */
  async #claimOldest({
    worker,
    class: costClass,
    limit,
  }: Extract<Event, { kind: 'claimOldest' }>): Promise<void> {
    const queued = this.#oracle.queued(costClass);
    const held = await this.#store.claim(worker, { class: costClass, limit });
    expect(held).toHaveLength(Math.min(limit, queued.length));
    const expected = held.map(({ id }) => this.#oracle.claim(worker, id));
    this.#same(held, expected);
    if (!this.#timed) return;
    const times = held.map(({ queuedAt }) => queuedAt);
    expect(times).toEqual(queued.slice(0, limit).map(({ queuedAt }) => queuedAt));
  }

  async #sweep(forgottenAfterMs: number): Promise<void> {
    const found = await this.#store.sweep({ forgottenAfterMs, limit: 1_000 });
    const expected = this.#oracle.sweep(forgottenAfterMs);
    this.#same(byId(found.requeued), byId(expected.requeued));
    this.#same(byId(found.failed), byId(expected.failed));
    this.#same(byId(found.forgotten), byId(expected.forgotten));
  }

  async #compareReaders(): Promise<void> {
    const ids = HISTORY_JOBS.map(({ id }) => id);
    const gets = ['a', 'b'].map(async (tenant) => {
      this.#same(
        await this.#store.get(tenant, ids),
        ids.map((id) => this.#oracle.view(tenant, id)),
      );
    });
    const owned = HISTORY_WORKERS.map(async (worker) => {
      this.#same(byId(await this.#store.owned(worker)), byId(this.#oracle.owned(worker)));
    });
    await Promise.all([...gets, ...owned]);
    this.#same(await this.#store.backlog(), this.#oracle.backlog());
  }

  async #compareLists(): Promise<void> {
    for (const tenant of ['a', 'b']) {
      const listed = (await kit.pagesOf(this.#store, { tenant, limit: 3 })).flat();
      const views = HISTORY_JOBS.map(({ id }) => this.#oracle.view(tenant, id)).filter(
        (view) => view !== null,
      );
      const plain = (view: JobView): LiveJob | { id: string } =>
        view.kind === 'live' ? view.job : view.result;
      this.#same(byId(listed.map(plain)), byId(views.map(plain)));
    }
  }
}

function submissionOf({ facts, digest }: Extract<Event, { kind: 'submit' }>['batch'][number]): Submission {
  if (digest === 'none') return facts;
  if (digest === 'right') return kit.computed(facts);
  return { ...facts, computed: { digest: kit.wrongDigest(facts.chain, facts.iterations) } };
}

function reportOf({ facts, share, right }: Report): Checkpoint {
  const position = Math.max(1, Math.floor(facts.iterations * share));
  const point = kit.checkpointOf(facts, position);
  return right ? point : { ...point, digest: kit.wrongDigest(facts.chain, position) };
}

function byId<T extends { readonly id: string }>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
