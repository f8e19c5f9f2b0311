import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mongo } from 'mongoose';
import { completionOf, DAY_MS, job, jobs, TENANT, WORKER } from '../../ports/job-store-conformance-facts.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { noopMetrics } from '../../runtime/noop-telemetry.ts';
import { dropDatabase, newDatabase, testStore, withDatabase, type TestStore } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const uri = 'uri' in server ? server.uri : '';

const SWEEP = { forgottenAfterMs: DAY_MS, limit: 1_000 };
const QUERY = { tenant: TENANT, state: null, cursor: null, limit: 100 };

/** What can be wrong with a document: fields that are set, and fields that are taken away. */
interface Poison {
  readonly what: string;
  readonly set?: mongo.Document;
  readonly unset?: mongo.Document;
}

const JOBS: readonly Poison[] = [
  { what: 'no chain', unset: { chain: 1 } },
  { what: 'a chain of text', set: { chain: 'abc' } },
  { what: 'a chain that is too short', set: { chain: Buffer.alloc(3) } },
  { what: 'a digest of a wrong type', set: { digest: 7 } },
  { what: '2^60 iterations', set: { iterations: mongo.Long.fromBits(0, 1 << 28) } },
  { what: 'iterations of text', set: { iterations: 'many' } },
  { what: 'a position beyond its end', set: { position: 1e15 } },
  { what: 'no tenant', unset: { tenant: 1 } },
  { what: 'a date of text', set: { queuedAt: 'yesterday' } },
  { what: 'no class', unset: { class: 1 } },
  { what: 'no owner', unset: { owner: 1 } },
  { what: 'an owner that is a number', set: { owner: 7 } },
];

const RESULTS: readonly Poison[] = [
  { what: 'no chain', unset: { chain: 1 } },
  { what: 'an outcome that is none', set: { outcome: 'maybe' } },
  { what: 'iterations of a wrong type', set: { iterations: [1] } },
  { what: 'no date of its end', unset: { finishedAt: 1 } },
  { what: 'a date of text', set: { createdAt: 'yesterday' } },
  { what: 'a digest that is too short', set: { digest: Buffer.alloc(3) } },
];

suite(`a document in MongoDB that cannot be read${needs}`, () => {
  const database = newDatabase();
  let opened: TestStore;
  let counted: number;
  beforeEach(async () => {
    counted = 0;
    const metrics: Metrics = {
      ...noopMetrics,
      counter: () => ({ add: (value) => void (counted += value) }),
    };
    opened = testStore({ uri, database, metrics });
    await opened.store.start();
  });
  afterEach(async () => {
    await opened.store.stop();
    await dropDatabase({ uri, database });
  });

  const db = <T>(action: (db: mongo.Db) => Promise<T>): Promise<T> => withDatabase({ uri, database }, action);
  const poison = (collection: string, id: string, { set, unset }: Poison): Promise<unknown> =>
    db((each) =>
      each
        .collection<{ _id: string }>(collection)
        .updateOne({ _id: id }, { ...(set && { $set: set }), ...(unset && { $unset: unset }) }),
    );
  const quarantined = (): Promise<string[]> =>
    db(async (each) => (await each.collection('quarantine').find().toArray()).map(({ _id }) => String(_id)));
  const told = (): number => opened.logger.lines.filter((line) => line.includes('quarantine')).length;

  test.each(JOBS)('in jobs is set aside, and all others are claimed: $what', async (how) => {
    const { store } = opened;
    const bad = job('bad');
    const good = jobs(6);
    await store.submit([bad]);
    await store.submit(good);
    await poison('jobs', bad.id, how);
    await store.backlog();
    const claimed = await store.claim(WORKER, { class: 0, limit: 100 });
    expect(claimed.map(({ id }) => id).sort()).toEqual(good.map(({ id }) => id).sort());
    // Nobody renews the lease: a sweep requeues them, and looks at every live job.
    expect((await store.sweep(SWEEP)).requeued).toHaveLength(6);
    expect((await store.list(QUERY)).items).toHaveLength(6);
    expect(await store.get(TENANT, [bad.id])).toEqual([null]);
    expect(await quarantined()).toEqual([`jobs/${bad.id}`]);
    expect({ counted, told: told() }).toEqual({ counted: 1, told: 1 });
    expect(await store.submit([bad])).toMatchObject([{ kind: 'created' }]);
  });

  test.each(JOBS)(
    'among the jobs of a dead worker keeps no other from being requeued: $what',
    async (how) => {
      const { store } = opened;
      const all = [job('bad'), ...jobs(6)];
      await store.submit(all);
      await store.claim('dead', { ids: all.map(({ id }) => id) });
      await poison('jobs', all[0]!.id, how);
      const { requeued } = await store.sweep(SWEEP);
      expect(requeued.map(({ id }) => id).sort()).toEqual(
        all
          .slice(1)
          .map(({ id }) => id)
          .sort(),
      );
      await store.sweep(SWEEP);
      expect(await quarantined()).toEqual([`jobs/${all[0]!.id}`]);
    },
  );

  test.each(RESULTS)('in results is set aside, and its job is done again: $what', async (how) => {
    const { store } = opened;
    const [bad, good] = [job('bad'), job('good')];
    await store.complete([completionOf(bad), completionOf(good)]);
    await poison('results', bad.id, how);
    expect(await store.get(TENANT, [bad.id, good.id])).toMatchObject([null, { kind: 'result' }]);
    expect((await store.list(QUERY)).items).toHaveLength(1);
    expect(await store.submit([bad, good])).toMatchObject([{ kind: 'created' }, { kind: 'known' }]);
    expect(await store.claim(WORKER, { ids: [bad.id] })).toHaveLength(1);
    expect(await store.complete([completionOf(bad)])).toEqual(['stored']);
    expect(await quarantined()).toEqual([`results/${bad.id}`]);
  });

  test('in results does not end a live job of its id', async () => {
    const { store } = opened;
    const [bad] = [job('bad')];
    await store.submit([bad]);
    await store.complete([completionOf(job('other'))]);
    await db(async (each) => {
      const doc = (await each.collection('results').findOne())!;
      await each.collection('results').insertOne({ ...doc, _id: bad.id, chain: 7 } as mongo.Document);
    });
    expect(await store.claim(WORKER, { class: 0, limit: 10 })).toMatchObject([{ id: bad.id }]);
    expect(await quarantined()).toEqual([`results/${bad.id}`]);
  });

  test.each([
    { what: 'a number', leaseUntil: 7 },
    { what: 'a timestamp, which is later than any date', leaseUntil: new mongo.Timestamp({ t: 1, i: 1 }) },
    { what: 'nothing', leaseUntil: null },
  ])('in workers is no lease: $what', async ({ leaseUntil }) => {
    const { store } = opened;
    await store.submit([job('a')]);
    await store.renew(WORKER, DAY_MS);
    await store.claim(WORKER, { ids: [job('a').id] });
    await db((each) => each.collection('workers').updateMany({}, { $set: { leaseUntil } }));
    expect((await store.sweep(SWEEP)).requeued).toHaveLength(1);
    await store.renew(WORKER, DAY_MS);
    await store.claim(WORKER, { ids: [job('a').id] });
    expect((await store.sweep(SWEEP)).requeued).toHaveLength(0);
  });

  test('stays where it is while it cannot be moved, and all others go on', async () => {
    const { store, logger } = opened;
    await store.submit([job('bad'), ...jobs(3)]);
    await poison('jobs', job('bad').id, { what: '', set: { chain: 7 } });
    // A rule that no document of the quarantine meets.
    await db((each) => each.createCollection('quarantine', { validator: { never: { $exists: true } } }));
    for (let round = 0; round < 3; round++) {
      expect((await store.list(QUERY)).items).toHaveLength(3);
      expect((await store.backlog()).queued[0]!.jobs).toBe(4);
    }
    expect(await store.claim(WORKER, { class: 0, limit: 10 })).toHaveLength(3);
    expect(told()).toBeGreaterThanOrEqual(1);
    const once = logger.lines.filter((line) => line.startsWith('error A document cannot be read'));
    expect(once).toHaveLength(1);
  });
});
