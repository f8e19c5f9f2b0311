import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newDatabase, testStore } from './testing/kit.ts';
import { OwnMongo } from './testing/own-server.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const LIMIT_MS = 180_000;
/** The reason is known this long after the begin of a start, in milliseconds: 5 s, and what a busy machine adds. */
const TOLD_MS = 15_000;

const READER = { user: 'reader', password: 'reader-password' };

suite(`a MongoDB that is not what it has to be${needs}`, () => {
  const servers: OwnMongo[] = [];
  let standalone: OwnMongo;
  let guarded: OwnMongo;
  const database = newDatabase();
  beforeAll(async () => {
    for (const replicaSet of [false, true]) servers.push(await OwnMongo.start({ replicaSet }));
    [standalone, guarded] = servers as [OwnMongo, OwnMongo];
    for (const own of servers)
      await own.addUser(READER.user, READER.password, { role: 'read', db: database });
  }, LIMIT_MS);
  afterAll(async () => {
    for (const own of servers) await own.remove();
  }, LIMIT_MS);

  test.each([
    {
      what: 'a standalone',
      uri: () => standalone.uri(READER, 'authSource=admin'),
      reason: /has to be a replica set/,
    },
    {
      what: 'a standalone in the place of a replica set',
      uri: () => standalone.uri(READER, 'authSource=admin&replicaSet=rs0'),
      reason: /a single server, or another set/,
    },
    {
      what: 'another name of the replica set',
      uri: () => guarded.uri(READER, 'authSource=admin&replicaSet=other'),
      reason: /replica set 'other'/,
    },
    {
      what: 'a wrong password',
      uri: () => guarded.uri({ ...READER, password: 'wrong' }, 'authSource=admin&replicaSet=rs0'),
      reason: /Authentication failed/,
    },
    {
      what: 'no user',
      uri: () => guarded.uri(null, 'replicaSet=rs0'),
      reason: /requires authentication/,
    },
    {
      what: 'a user that may only read',
      uri: () => guarded.uri(READER, 'authSource=admin&replicaSet=rs0'),
      reason: /the user may not create in the database '.*': the role readWrite is needed/,
    },
  ])(
    'is named in one line, in time: $what',
    async ({ uri, reason }) => {
      const { store, logger } = testStore({ uri: uri(), database });
      const begun = performance.now();
      const starting = store.start().then(
        () => null,
        (error: unknown) => error as Error,
      );
      while (!reason.test(store.trouble() ?? '') && performance.now() - begun < 2 * TOLD_MS)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect(store.trouble()).toMatch(reason);
      expect(performance.now() - begun).toBeLessThan(TOLD_MS);
      await store.stop();
      const fault = await starting;
      const said = [store.trouble(), fault?.message, ...logger.records.map((each) => JSON.stringify(each))];
      for (const text of said) {
        expect(text).not.toMatch(/\n|lsid|\$clusterTime|wrong@|reader-password/);
        expect(text!.length).toBeLessThan(400);
      }
    },
    LIMIT_MS,
  );
});
