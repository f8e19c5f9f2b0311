import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  checkpointOf,
  completionOf,
  digestAt,
  job,
  pointAt,
  TENANT,
  viewOfJob,
  WORKER,
} from '../../ports/job-store-conformance-facts.ts';
import type { JobFacts } from '../../jobs/job.ts';
import type { DamagedFact } from '../../ports/job-store.ts';
import { bytesOf, type JobDoc, type ResultDoc } from './store/documents.ts';
import { dropDatabase, newDatabase, testStore, withDatabase } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

/** Workers and endpoints of the version before check values write to the same database. */
suite(`beside an earlier version without check values${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const damaged: DamagedFact[] = [];
  const { store } = testStore({ ...place, onDamaged: (fact) => void damaged.push(fact) });

  beforeAll(() => store.start());
  afterAll(async () => {
    await store.stop();
    await dropDatabase(place);
  });

  /** As its checkpoint writes: position and digest, whatever else stands in the document. */
  function oldCheckpoint({ id, chain }: JobFacts, position: number): Promise<unknown> {
    return withDatabase(place, (db) =>
      db
        .collection<JobDoc>('jobs')
        .updateOne(
          { _id: id, position: { $lt: position } },
          { $set: { position, digest: bytesOf(digestAt(chain, position)), attempts: 0 } },
        ),
    );
  }

  async function claimed(facts: JobFacts): Promise<void> {
    await store.renew(WORKER, 3_600_000);
    await store.submit([facts]);
    await store.claim(WORKER, { ids: [facts.id] });
  }

  test('a checkpoint of its worker is gone on from, and so is the next of a new one', async () => {
    await claimed(job('a'));
    await store.checkpoint(WORKER, [checkpointOf(job('a'), 500)]);
    await oldCheckpoint(job('a'), 700);
    expect(await viewOfJob(store, job('a'))).toMatchObject({ job: pointAt(job('a'), 700) });
    expect(await store.checkpoint(WORKER, [checkpointOf(job('a'), 900)])).toEqual(['kept']);
    expect(await viewOfJob(store, job('a'))).toMatchObject({ job: pointAt(job('a'), 900) });
    expect(damaged).toEqual([]);
  });

  test('a result that its worker writes is served, and is known to longer jobs', async () => {
    await claimed(job('b'));
    const { id, tenant, chain, iterations, worker, createdAt } = completionOf(job('b'));
    const doc = {
      ...{ _id: id, tenant, chain: bytesOf(chain), iterations, computed: 9, worker: worker! },
      ...{ outcome: 'done' as const, digest: bytesOf(digestAt(chain, iterations)) },
      ...{ createdAt: new Date(createdAt), finishedAt: new Date(), expiresAt: new Date(Date.now() + 1e9) },
    };
    await withDatabase(place, (db) => db.collection<ResultDoc>('results').insertOne(doc));
    expect(await store.get(TENANT, [id])).toMatchObject([
      { result: { outcome: 'done', digest: digestAt(chain, iterations) } },
    ]);
    expect(await store.submit([job('b', 60_000)])).toMatchObject([{ job: { position: 50_000 } }]);
    expect(damaged).toEqual([]);
  });
});
