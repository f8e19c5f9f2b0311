import { describe, expect, test } from '@jest/globals';
import type { mongo } from 'mongoose';
import { dropDatabase, newDatabase, testStore, withDatabase } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const uri = 'uri' in server ? server.uri : '';

const uuidOf = async (db: mongo.Db): Promise<string> => {
  const [jobs] = await db.listCollections({ name: 'jobs' }, { nameOnly: false }).toArray();
  return (jobs as mongo.CollectionInfo).info!.uuid!.toString('hex');
};

suite(`the id of the database${needs}`, () => {
  test('is that of its jobs: one for all processes, and another for another database of the same server', async () => {
    const [one, two] = [newDatabase(), newDatabase()];
    const stores = [one, one, two].map((database) => testStore({ uri, database }).store);
    expect(stores[0]!.databaseId()).toBeNull();
    await Promise.all(stores.map((store) => store.start()));
    const [first, second, other] = stores.map((store) => store.databaseId());
    expect(first).toMatch(/^[0-9a-f]{8}$/);
    expect(second).toBe(first);
    expect(other).toMatch(/^[0-9a-f]{8}$/);
    expect(other).not.toBe(first);
    for (const store of stores) await store.stop();
    for (const database of [one, two]) await dropDatabase({ uri, database });
  }, 60_000);

  test('is read again when the jobs were dropped and restored', async () => {
    const place = { uri, database: newDatabase() };
    const { store } = testStore(place);
    await store.start();
    const before = store.databaseId();
    const uuid = await withDatabase(place, async (db) => {
      await db.dropCollection('jobs');
      await db.createCollection('jobs');
      return uuidOf(db);
    });
    await store.renew('w', 60_000);
    // Whatever names an index finds it missing, and has it made.
    while (store.databaseId() === before) await store.claim('w', { class: 0, limit: 1 }).catch(() => []);
    expect(store.databaseId()).toBe(uuid.slice(0, 8));
    await store.stop();
    await dropDatabase(place);
  }, 60_000);
});
