import { describe, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { StoreUnavailableError } from '../../ports/job-store.ts';
import { createMongoStore } from './mongo-store.ts';
import { dropDatabase, newDatabase, OPTIONS } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const uri = 'uri' in server ? server.uri : '';

async function ownId(): Promise<string> {
  const client = new MongoClient(uri);
  try {
    const { config } = await client.db('admin').command({ replSetGetConfig: 1 });
    return String((config as { settings: { replicaSetId: unknown } }).settings.replicaSetId);
  } finally {
    await client.close();
  }
}

suite(`the id of the replica set${needs}`, () => {
  test('that is expected is accepted, another one is refused and nothing is written to it', async () => {
    const id = await ownId();
    const database = newDatabase();
    const place = { ...OPTIONS, uri, database, logger: new RecordingLogger() };
    const right = createMongoStore({ ...place, replicaSetId: id });
    await right.start();
    await right.stop();
    await dropDatabase({ uri, database });

    const wrong = createMongoStore({ ...place, replicaSetId: 'f'.repeat(24) });
    const fault = await wrong.start().catch((error: unknown) => error as Error);
    expect(fault).toBeInstanceOf(StoreUnavailableError);
    expect(String(fault)).toContain(`the replica set ${id}`);
    expect(String(fault)).toContain('f'.repeat(24));
    await wrong.stop();
    const client = new MongoClient(uri);
    const { databases } = await client.db('admin').admin().listDatabases();
    await client.close();
    expect(databases.map(({ name }) => name)).not.toContain(database);
  }, 60_000);
});
