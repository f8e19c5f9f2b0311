import { expect, test } from '@jest/globals';
import type { JobFacts, JobId, JobView, LiveJob } from '../jobs/job.ts';
import { DAY_MS, TENANT, viewOfJob, WORKER } from './job-store-conformance-facts.ts';
import type { DamagedFact, JobStore, ListQuery, StoreOptions } from './job-store.ts';

export * from './job-store-conformance-facts.ts';

/** What happens to the rows of a job: one bit of a column flips, or they are as an earlier version has written them. */
export type Tampering = 'digest' | 'position' | 'iterations' | 'unchecked';

/** A store that a test has to itself. */
export interface StoreUnderTest {
  readonly store: JobStore;
  /** The store's clock; without the ability `time` it only goes on by itself. */
  readonly now: { ms(): number; advance(ms: number): void };
  /** Ends the store as a crash would and opens what it left. The earlier store cannot be used any more. */
  reopen?(): Promise<JobStore>;
  /** Another client of the same store; absent where there can be only one. It is closed with the first. */
  another?(): Promise<JobStore>;
  /** Changes what is stored of a job behind the store's back. Who holds a job may have lost it then. */
  tamper(id: JobId, how: Tampering): Promise<void>;
  /** What the store has reported as damaged. */
  readonly damaged: readonly DamagedFact[];
  /** Stops the store and removes what it kept. Idempotent. */
  close(): Promise<void>;
}

export type StoreSetup = (options: StoreOptions) => Promise<StoreUnderTest>;

/** What an adapter can be made to do. Tests that need more are skipped by name. */
export interface StoreAbilities {
  /** `now.advance` works, and nothing else moves the clock. */
  readonly time: boolean;
  /** There is `reopen`, and it voids every lease. */
  readonly reopen: boolean;
  /** How many random histories are tried. */
  readonly histories: number;
}

/** What the parts of the suite share. Whatever was opened is closed after the test. */
export interface StoreSuite {
  readonly abilities: StoreAbilities;
  open(options?: Partial<StoreOptions>): Promise<StoreUnderTest>;
}

/** `test`, or a skip by name where the adapter cannot do what the test needs. */
export function testWith(suite: StoreSuite, ability: 'time' | 'reopen'): typeof test | typeof test.skip {
  return suite.abilities[ability] ? test : test.skip;
}

export async function liveJob(store: JobStore, facts: JobFacts): Promise<LiveJob> {
  const view = await viewOfJob(store, facts);
  expect(view).toMatchObject({ kind: 'live' });
  return (view as Extract<JobView, { kind: 'live' }>).job;
}

/** Submits and claims, with a lease that lasts. */
export async function running(store: JobStore, facts: JobFacts, worker = WORKER): Promise<LiveJob> {
  await store.renew(worker, DAY_MS);
  await store.submit([facts]);
  const [held] = await store.claim(worker, { ids: [facts.id] });
  expect(held).toMatchObject({ id: facts.id, owner: worker });
  return held!;
}

/** The worker dies: its lease is over, and somebody notices. */
export async function die(store: JobStore, worker = WORKER): Promise<void> {
  await store.renew(worker, 0);
  await store.sweep({ forgottenAfterMs: DAY_MS, limit: 1_000 });
}

/** Makes sure that what follows comes later by the store's clock. */
export async function tick({ now }: StoreUnderTest, abilities: StoreAbilities): Promise<void> {
  if (abilities.time) now.advance(1);
  else await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Every page of a list, and the ids on it. */
export async function pagesOf(
  store: JobStore,
  query: Partial<ListQuery>,
  between: () => Promise<void> = async () => {},
): Promise<JobView[][]> {
  const pages: JobView[][] = [];
  let cursor: string | null = null;
  do {
    const asked: ListQuery = { tenant: TENANT, state: null, limit: 10, ...query, cursor };
    const page = await store.list(asked);
    expect(page.items.length).toBeLessThanOrEqual(asked.limit);
    pages.push([...page.items]);
    cursor = page.next;
    await between();
  } while (cursor !== null);
  return pages;
}

export function idsOf(views: readonly JobView[]): string[] {
  return views.map((view) => (view.kind === 'live' ? view.job.id : view.result.id));
}
