import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { mongo } from 'mongoose';
import { checkpointOf, completionOf, computed, job, jobs } from '../../ports/job-store-conformance-facts.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { dropDatabase, newDatabase, testStore, withDatabase } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

interface Seen {
  readonly name: string;
  readonly command: mongo.Document;
}

/** Everything that a store can be asked, once with something to find and once without. */
const SCENES: readonly { readonly what: string; readonly act: (store: JobStore) => Promise<unknown> }[] = [
  { what: 'submit', act: (store) => store.submit([...jobs(30), job('long', 5_000_000)]) },
  { what: 'submit again', act: (store) => store.submit(jobs(30)) },
  { what: 'submit with digests', act: (store) => store.submit(jobs(30, 7).map(computed)) },
  {
    what: 'submit a known chain',
    act: async (store) => {
      await store.submit([computed(job('known', 9_000)), job('known', 20_000)]);
      await store.submit([job('known', 30_000), job('known', 9_000, 'another')]);
    },
  },
  { what: 'get', act: (store) => store.get('tenant-a', [job('long', 5_000_000).id, job('known', 9_000).id]) },
  { what: 'renew', act: (store) => store.renew('w', 60_000) },
  { what: 'claim by id', act: (store) => store.claim('w', { ids: jobs(30).map(({ id }) => id) }) },
  { what: 'claim the oldest', act: (store) => store.claim('w', { class: 1, limit: 5 }) },
  { what: 'claim without a lease', act: (store) => store.claim('ghost', { class: 0, limit: 5 }) },
  {
    what: 'checkpoint',
    act: (store) =>
      store.checkpoint(
        'w',
        jobs(10).map((each) => checkpointOf(each, 700)),
      ),
  },
  { what: 'owned', act: (store) => store.owned('w') },
  { what: 'list everything', act: (store) => pages(store, null) },
  { what: 'list running jobs', act: (store) => pages(store, 'running') },
  { what: 'list queued jobs', act: (store) => pages(store, 'queued') },
  { what: 'list done jobs', act: (store) => pages(store, 'done') },
  { what: 'backlog', act: (store) => store.backlog() },
  { what: 'release', act: (store) => store.release('w', [checkpointOf(job('job 1'), 800)]) },
  {
    what: 'cancel',
    act: (store) =>
      store.cancel(
        'tenant-a',
        jobs(4).map(({ id }) => id),
      ),
  },
  { what: 'submit what was cancelled', act: (store) => store.submit(jobs(2)) },
  { what: 'complete', act: (store) => store.complete(jobs(12).map((each) => completionOf(each))) },
  { what: 'complete again', act: (store) => store.complete(jobs(12).map((each) => completionOf(each))) },
  { what: 'sweep', act: (store) => store.sweep({ forgottenAfterMs: -60_000, limit: 100 }) },
];

async function pages(store: JobStore, state: 'running' | 'queued' | 'done' | null): Promise<void> {
  let cursor: string | null = null;
  do {
    const page = await store.list({ tenant: 'tenant-a', state, cursor, limit: 20 });
    cursor = page.next;
  } while (cursor !== null);
}

suite(`how MongoDB answers${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const seen: Seen[] = [];
  /** Nothing that the address says can weaken what is promised. */
  const weak = `${place.uri}&w=1&journal=false&readPreference=nearest&readConcernLevel=local`;
  const onCommand = (name: string, command: mongo.Document): void => void seen.push({ name, command });
  const { store } = testStore({ ...place, uri: weak, onCommand });

  beforeAll(() => store.start());
  afterAll(async () => {
    await store.stop();
    await dropDatabase(place);
  });

  test.each(SCENES)('$what: by an index, always', async ({ act }) => {
    seen.length = 0;
    await act(store);
    for (const { name, command } of seen) expectSure(name, command);
    const asked = seen.flatMap(explainable);
    const plans = await withDatabase(place, (db) =>
      Promise.all(asked.map(async (command) => ({ command, stages: await stagesOf(db, command) }))),
    );
    for (const { command, stages } of plans) {
      expect({ command, stages }).toEqual({ command, stages: expect.not.arrayContaining(['COLLSCAN']) });
      expect(stages.some((stage) => stage === 'IDHACK' || /(IXSCAN|DISTINCT_SCAN)$/.test(stage))).toBe(true);
    }
  });
});

/** Writes wait for a majority and its journal; reads go to the primary, and to what a majority has where it is shown. */
function expectSure(name: string, command: mongo.Document): void {
  if (['insert', 'update', 'delete'].includes(name)) {
    const writeConcern = { w: 'majority', j: true, wtimeout: expect.any(Number) };
    return expect({ name, command }).toMatchObject({ name, command: { writeConcern } });
  }
  const read = ['find', 'aggregate', 'distinct', 'count'].find((each) => each === name);
  if (!read) return;
  expect(command).not.toHaveProperty('$readPreference');
  if (command[read] === 'results') expect(command).toMatchObject({ readConcern: { level: 'majority' } });
}

/** Inserts have no plan. A bulk of updates is explained by its first. */
function explainable({ name, command }: Seen): mongo.Document[] {
  const {
    lsid: _lsid,
    txnNumber: _txn,
    $clusterTime: _time,
    writeConcern: _write,
    readConcern: _read,
    $db: _db,
    ...rest
  } = command;
  if (name === 'update') return [{ ...rest, updates: (rest['updates'] as unknown[]).slice(0, 1) }];
  return ['find', 'aggregate', 'distinct', 'delete', 'count'].includes(name) ? [rest] : [];
}

async function stagesOf(db: mongo.Db, command: mongo.Document): Promise<string[]> {
  return namesIn(await db.command({ explain: command, verbosity: 'queryPlanner' }));
}

/** The stages of all plans that won, wherever they stand in the answer. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'rejectedPlans' || key === 'command') return [];
    return key === 'stage' && typeof inner === 'string' ? [inner] : namesIn(inner);
  });
}
