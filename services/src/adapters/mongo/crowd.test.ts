import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { idsOf, job, liveJob, pagesOf } from '../../ports/job-store-conformance-kit.ts';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import type { Backlog } from '../../ports/job-store.ts';
import { BacklogCounter } from './store/backlog.ts';
import { jobDoc } from './store/documents.ts';
import {
  dropDatabase,
  FrozenTime,
  newDatabase,
  OPTIONS,
  testStore,
  withDatabase,
  type TestStore,
} from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

suite(`very many jobs${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const time = new FrozenTime();
  let opened: TestStore;
  beforeAll(async () => {
    opened = testStore({ ...place, time });
    await opened.store.start();
  });
  beforeEach(() =>
    withDatabase(place, async (db) => {
      for (const name of ['jobs', 'stats']) await db.collection(name).deleteMany({});
    }),
  );
  afterAll(async () => {
    await opened.store.stop();
    await dropDatabase(place);
  });

  const queue = (from: number, count: number): Promise<unknown> =>
    opened.store.submit(Array.from({ length: count }, (_, i) => job(`job ${from + i}`, 101)));

  describe('are counted', () => {
    const counter = (): BacklogCounter => new BacklogCounter(new RecordingLogger(), 10);
    const read = (by: BacklogCounter): Promise<Backlog> =>
      opened.link.run((collections) => by.read({ ...collections, ...OPTIONS, time }));

    test('each time, up to a bound', async () => {
      const by = counter();
      for (let jobs = 0; jobs < 10; jobs += 5) {
        await queue(jobs, 5);
        expect((await read(by)).queued[0]).toMatchObject({ jobs: jobs + 5, iterations: 100 * (jobs + 5) });
      }
    });

    test('in full beyond it, and told by everybody until the next count is due', async () => {
      const [by, another] = [counter(), counter()];
      await queue(0, 25);
      expect((await read(by)).queued[0]).toMatchObject({ jobs: 25, iterations: 2_500 });
      await queue(25, 5);
      time.advance(1_000);
      for (const each of [by, another]) expect((await read(each)).queued[0]).toMatchObject({ jobs: 25 });
      time.advance(1_000);
      await Promise.all([by, another].map(read));
      await Promise.all([by.idle(), another.idle()]);
      expect((await read(another)).queued[0]).toMatchObject({ jobs: 30, iterations: 3_000 });
    });

    test('anew where the last count is old', async () => {
      const by = counter();
      await queue(0, 25);
      await read(by);
      await queue(25, 25);
      time.advance(3_600_000);
      expect((await read(by)).queued[0]).toMatchObject({ jobs: 50, iterations: 5_000 });
    });

    test('exactly again when few are left', async () => {
      const by = counter();
      await queue(0, 25);
      await read(by);
      await opened.store.claim('w', { class: 0, limit: 18 });
      expect((await read(by)).queued[0]).toMatchObject({ jobs: 7, iterations: 700 });
    });
  });

  test("do not hide another tenant's few from a list", async () => {
    const few = ['a', 'b', 'c'].map((name) => job(name));
    await opened.store.submit(few);
    const one = await liveJob(opened.store, few[0]!);
    const crowd = Array.from({ length: 45_000 }, (_, i) => ({
      ...jobDoc(one),
      _id: `${i % 8}${String(i).padStart(25, '0')}`,
      tenant: 'crowd',
    }));
    await withDatabase(place, (db) => db.collection<{ _id: string }>('jobs').insertMany(crowd));
    const pages = await pagesOf(opened.store, { limit: 2 });
    expect(idsOf(pages.flat())).toEqual(few.map(({ id }) => id).sort());
    await opened.store.claim('w', { ids: [few[1]!.id] });
    const running = await pagesOf(opened.store, { limit: 2, state: 'running' });
    expect(running.map(idsOf)).toEqual([[few[1]!.id]]);
  });
});
