import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { stateOfJob } from '../../ports/job-store-conformance-facts.ts';
import { MARKS } from './store/documents.ts';
import { crashAfter } from './testing/crash.ts';
import { dropDatabase, newDatabase, testStore, withDatabase, type TestStore } from './testing/kit.ts';
import { FACTS, SCENES, SWEEP } from './testing/scenes.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

suite(`a process that ends between two writes${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  let opened: TestStore;

  beforeAll(async () => {
    opened = testStore(place);
    await opened.store.start();
  });
  afterEach(async () => {
    await withDatabase(place, async (db) => {
      for (const name of ['jobs', 'results', 'workers']) await db.collection(name).deleteMany({});
    });
  });
  afterAll(async () => {
    await opened.store.stop();
    await dropDatabase(place);
  });

  /** Nothing half done is left: no mark, and nothing both live and done. */
  async function expectTidy(): Promise<void> {
    const { marked, both } = await withDatabase(place, async (db) => {
      const done = await db.collection('results').distinct('_id', { outcome: 'done' });
      return {
        marked: await db.collection('jobs').countDocuments({ owner: { $in: [...MARKS] } }),
        both: await db.collection('jobs').countDocuments({ _id: { $in: done } }),
      };
    });
    expect({ marked, both }).toEqual({ marked: 0, both: 0 });
  }

  test.each(SCENES)('$what: the sweep clears up, and asking again does it', async (scene) => {
    const { store } = opened;
    for (let writes = 0; ; writes++) {
      await scene.before(store);
      const crashed = await crashAfter(writes, opened, scene.act);
      await store.sweep(SWEEP);
      await store.sweep(SWEEP);
      await expectTidy();
      if (crashed) expect(scene.middle).toContain(await stateOfJob(store, FACTS));
      await crashAfter(1_000, opened, scene.act);
      expect(await stateOfJob(store, FACTS)).toBe(scene.end);
      await withDatabase(place, async (db) => {
        for (const name of ['jobs', 'results']) await db.collection(name).deleteMany({});
      });
      if (!crashed) {
        expect(writes).toBeGreaterThan(0);
        return;
      }
    }
  });
});
