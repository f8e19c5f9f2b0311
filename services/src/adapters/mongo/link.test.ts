import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { job, WORKER } from '../../ports/job-store-conformance-facts.ts';
import { StoreUnavailableError } from '../../ports/job-store.ts';
import { RecordingLogger } from '../../runtime/testing/recording-logger.ts';
import { createMongoStore } from './mongo-store.ts';
import {
  dropDatabase,
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
const uri = 'uri' in server ? server.uri : '';

const SOON = { serverSelectionMs: 200, connectMs: 200, startMs: 500 };

describe('a store whose MongoDB is not there', () => {
  test('says where it looked, without the password, and can be started again', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as { port: number };
    nobody.close();
    const place = { uri: `mongodb://me:secret@127.0.0.1:${port}/?replicaSet=rs0`, database: 'x' };
    const { store, logger } = testStore({ ...place, limits: SOON });
    for (let attempt = 0; attempt < 2; attempt++) {
      const fault = await store.start().catch((error: unknown) => error as Error);
      expect(fault).toBeInstanceOf(StoreUnavailableError);
      expect(String(fault)).toContain(`127.0.0.1:${port}`);
      expect(String(fault)).not.toContain('secret');
    }
    expect(JSON.stringify(logger.records)).not.toContain('secret');
    expect(store.trouble()).toEqual(expect.any(String));
    await expect(store.backlog()).rejects.toThrow(StoreUnavailableError);
    await store.stop();
  });

  test('stops while it is starting', async () => {
    const place = { uri: 'mongodb://127.0.0.1:1/?replicaSet=rs0', database: 'x' };
    const { store } = testStore({ ...place, limits: { ...SOON, startMs: 600_000 } });
    const starting = store.start().catch((error: unknown) => error);
    await store.stop();
    expect(await starting).toBeInstanceOf(StoreUnavailableError);
  });

  test.each(['http://127.0.0.1', 'mongodb://', 'nonsense'])(
    'does not even try where %s is no address',
    async (nonsense) => {
      const { store, logger } = testStore({ uri: nonsense, database: 'x' });
      await expect(store.start()).rejects.toThrow(StoreUnavailableError);
      expect(logger.lines).toEqual([]);
    },
  );
});

suite(`the connection to MongoDB${needs}`, () => {
  const opened: (TestStore & { database: string })[] = [];
  const open = (given: object = {}): TestStore & { database: string } => {
    const place = { uri, database: newDatabase(), ...given };
    const made = { ...testStore(place), database: place.database };
    opened.push(made);
    return made;
  };
  afterEach(async () => {
    for (const { store, database } of opened.splice(0)) {
      await store.stop();
      await dropDatabase({ uri, database });
    }
  });

  test('says how it is, can be opened and closed twice, and opened again', async () => {
    const { store } = open();
    expect(store.trouble()).toBe('the store is not started');
    await Promise.all([store.start(), store.start()]);
    expect(store.trouble()).toBeNull();
    await store.submit([job('a')]);
    await Promise.all([store.stop(), store.stop()]);
    expect(store.trouble()).toBe('the store is stopped');
    await expect(store.get('tenant-a', [])).rejects.toThrow(StoreUnavailableError);
    await store.start();
    expect((await store.backlog()).queued[0]!.jobs).toBe(1);
  });

  test('builds dropped indexes again, and is not ready meanwhile', async () => {
    const { store, database, logger } = open();
    await store.start();
    await store.submit([job('a')]);
    await withDatabase({ uri, database }, async (db) => {
      for (const name of ['jobs', 'results']) await db.collection(name).dropIndexes();
    });
    const fault = await store.backlog().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(StoreUnavailableError);
    expect(store.trouble()).toBe('an index of MongoDB is missing, and is being built');
    while (store.trouble()?.includes('index')) await new Promise((resolve) => setImmediate(resolve));
    expect((await store.backlog()).queued[0]!.jobs).toBe(1);
    expect(await store.sweep({ forgottenAfterMs: 1e9, limit: 10 })).toMatchObject({ expired: 0 });
    expect(await store.list({ tenant: 'tenant-a', state: null, cursor: null, limit: 5 })).toBeDefined();
    expect(store.trouble()).toBeNull();
    expect(logger.lines).toContain('info The indexes of MongoDB are there again');
    const names = await withDatabase({ uri, database }, (db) => db.collection('results').indexes());
    expect(names).toHaveLength(4);
  });

  test.each([
    {
      what: 'a host that does not resolve',
      uri: 'mongodb://no-such-host.invalid/?replicaSet=rs0',
      reason: /ENOTFOUND|EAI_AGAIN/,
    },
    {
      what: 'a port where nobody listens',
      uri: 'mongodb://127.0.0.1:1/?replicaSet=rs0',
      reason: /ECONNREFUSED/,
    },
    { what: 'another replica set', uri: uri.replace('rs0', 'other'), reason: /replica set 'other'/ },
    {
      what: 'a wrong password',
      uri: uri.replace('mongodb://', 'mongodb://me:wrong@'),
      reason: /Authentication failed/,
    },
  ])('says in its trouble what is wrong while it starts: $what', async ({ uri: wrong, reason }) => {
    const { store, logger } = open({ uri: wrong });
    const starting = store.start().catch(() => undefined);
    const look = (): boolean => reason.test(store.trouble() ?? '') || logger.lines.length > 0;
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(store.trouble()).toMatch(reason);
    expect(store.trouble()).not.toContain('wrong@');
    // It is known before the first attempt has failed, which takes as long as a primary is looked for.
    expect(logger.lines).toEqual([]);
    await store.stop();
    await starting;
  });

  test('waits for what is in hand when it is closed', async () => {
    const { store } = open();
    await store.start();
    const answers = store.submit([job('a')]);
    await store.stop();
    expect(await answers).toMatchObject([{ kind: 'created' }]);
  });

  test('does not wait for the right password', async () => {
    const { store, logger } = open();
    const guarded = createMongoStore({
      ...OPTIONS,
      uri: uri.replace('mongodb://', 'mongodb://me:wrong@'),
      database: newDatabase(),
      logger,
    });
    await expect(guarded.start()).rejects.toThrow(/Authentication failed/);
    expect(logger.lines).toEqual([]);
    await store.stop();
  });

  test('is made by ten processes at once, with every index once', async () => {
    const database = newDatabase();
    const ten = Array.from({ length: 10 }, () => open({ database }));
    await Promise.all(ten.map(({ store }) => store.start()));
    const names = await withDatabase({ uri, database }, async (db) => {
      const all = await Promise.all(
        ['jobs', 'results', 'workers', 'stats'].map((name) => db.collection(name).listIndexes().toArray()),
      );
      return all.map((indexes) => indexes.map(({ name }: { name: string }) => name));
    });
    expect(names).toEqual([
      ['_id_', 'owner_1_class_1_queuedAt_1_iterations_1_position_1'],
      ['_id_', 'tenant_1_outcome_1_finishedAt_-1__id_1', 'expiresAt_1', 'chain_from_1000'],
      ['_id_', 'leaseUntil_1'],
      ['_id_'],
    ]);
  });

  test('keeps one index of chains, whatever is worth looking up', async () => {
    const database = newDatabase();
    const chainIndexes = (): Promise<string[]> =>
      withDatabase({ uri, database }, async (db) => {
        const all = await db.collection('results').listIndexes().toArray();
        return all.map(({ name }: { name: string }) => name).filter((name) => name.startsWith('chain'));
      });
    for (const { reuseIterations, index } of [
      { reuseIterations: 1_000, index: 'chain_from_1000' },
      { reuseIterations: 50_000, index: 'chain_from_1000' },
      { reuseIterations: 10, index: 'chain_from_10' },
      { reuseIterations: 0, index: 'chain_from_1' },
    ]) {
      await open({ database, reuseIterations }).store.start();
      expect(await chainIndexes()).toEqual([index]);
    }
  });

  test('has names for workers that mean something else', async () => {
    const { store } = open();
    for (const name of ['', 'cancelled', 'failed']) {
      await expect(store.claim(name, { ids: [] })).rejects.toThrow(RangeError);
      await expect(store.renew(name, 1)).rejects.toThrow(RangeError);
    }
  });

  test('asks little when there is nothing to do', async () => {
    const commands: string[] = [];
    const { store } = open({ onCommand: (name: string) => commands.push(name) });
    await store.start();
    const asked = async (action: Promise<unknown>): Promise<number> => {
      await action;
      return commands.splice(0).length;
    };
    commands.length = 0;
    expect(await asked(store.sweep({ forgottenAfterMs: 30_000, limit: 1_000 }))).toBe(4);
    expect(await asked(store.claim(WORKER, { class: 0, limit: 512 }))).toBe(1);
    expect(await asked(store.renew(WORKER, 10_000))).toBe(1);
    expect(await asked(store.backlog())).toBe(1);
  });

  test('is not what a log is about while all is well', async () => {
    const logger = new RecordingLogger();
    const database = newDatabase();
    const store = createMongoStore({ ...OPTIONS, uri, database, logger });
    await store.start();
    await store.submit([job('a')]);
    await store.stop();
    await dropDatabase({ uri, database });
    expect(logger.lines).toEqual(['info MongoDB is connected']);
  });
});
