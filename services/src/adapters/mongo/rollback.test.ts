import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { dropDatabase, newDatabase, testStore, withDatabase } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

const DOCS = new URL('../../../../docs/kubernetes.md', import.meta.url);
const COMMAND = { collMod: 'results', index: { keyPattern: { expiresAt: 1 }, expireAfterSeconds: 0 } };

suite(`a rollback to the version whose server expires results${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  /** As a start of that version makes its index. */
  const startEarlier = (): Promise<unknown> =>
    withDatabase(place, (db) =>
      db.collection('results').createIndexes([{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }]),
    );
  const startThis = async (): Promise<void> => {
    const { store } = testStore(place);
    await store.start();
    await store.stop();
  };

  beforeAll(startThis);
  afterAll(() => dropDatabase(place));

  test('needs the command that the docs give, and the next upgrade works again', async () => {
    await expect(startEarlier()).rejects.toMatchObject({ codeName: 'IndexOptionsConflict' });
    const text = `db.runCommand(${JSON.stringify(COMMAND)})`;
    const plain = (command: string): string => command.replaceAll(/["' ]/g, '');
    expect(plain(await readFile(DOCS, 'utf8'))).toContain(plain(text));
    await withDatabase(place, (db) => db.command(COMMAND));
    await startEarlier();
    await startThis();
    await expect(startEarlier()).rejects.toMatchObject({ codeName: 'IndexOptionsConflict' });
  });
});
