import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import * as kit from '../../../ports/job-store-conformance-kit.ts';
import { StoreUnavailableError } from '../../../ports/job-store.ts';
import { createSqliteStore } from '../sqlite-store.ts';
import { Child } from '../testing/child.ts';
import { OPTIONS, openStoreOn, recordingLogger, temporaryFile, type OpenedStore } from '../testing/kit.ts';
import { framesOf } from '../testing/write-ahead-log.ts';
import { MAX_IN_FLIGHT, type ThreadOptions } from './store-thread.ts';

const { job, TENANT } = kit;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function newFile(): Promise<string> {
  const { file, remove } = await temporaryFile();
  cleanups.push(remove);
  return file;
}

async function open(file: string, given: Partial<ThreadOptions> = {}): Promise<OpenedStore> {
  const opened = await openStoreOn(file, given);
  cleanups.push(() => opened.store.stop());
  return opened;
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreUnavailableError);
  return (error as Error).message;
}

describe('opening a file', () => {
  test('makes it, with its folder', async () => {
    const file = join(dirname(await newFile()), 'a', 'b', 'jobs.db');
    const { store } = await open(file);
    expect(await store.submit([job('a')])).toMatchObject([{ kind: 'created' }]);
  });

  test('that another process has is refused; when that has ended, it works', async () => {
    const file = await newFile();
    const child = new Child('hold.ts', [file]);
    cleanups.push(() => child.kill());
    await child.untilLines(1);
    expect(await refusal(open(file))).toBe(`${file} is in use by another hashcluster process`);
    await child.kill();
    await open(file);
  });

  test('that this process has already is refused, too', async () => {
    const file = await newFile();
    await open(file);
    expect(await refusal(open(file))).toBe(`${file} is in use by another hashcluster process`);
  });

  test('of a newer version is refused and left as it is', async () => {
    const file = await newFile();
    await (await open(file)).store.stop();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    const message = await (db.close(), refusal(open(file)));
    expect(message).toBe(
      `${file} has version 99 of the store format, this hashcluster knows version 3 and older; use a newer hashcluster`,
    );
    const again = new DatabaseSync(file);
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    again.close();
  });

  test.each([
    [
      'text',
      (file: string) =>
        writeFileSync(file, 'This is no database, and it is longer than a header.'.repeat(30)),
    ],
    [
      'the database of something else',
      (file: string) => {
        const db = new DatabaseSync(file);
        db.exec('CREATE TABLE t (a)');
        db.close();
      },
    ],
  ])('that is %s is refused and left as it is', async (_what, write) => {
    const file = await newFile();
    write(file);
    const before = readFileSync(file);
    expect(await refusal(open(file))).toBe(`${file} is not a hashcluster store`);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('that cannot be made is refused with the reason', async () => {
    const file = await newFile();
    writeFileSync(file, '');
    const below = join(file, 'jobs.db');
    expect(await refusal(open(below))).toMatch(/jobs\.db.*(ENOTDIR|EEXIST)|(ENOTDIR|EEXIST).*jobs\.db/);
  });

  test('can be tried again after a refusal', async () => {
    const file = await newFile();
    const first = await open(file);
    const second = createSqliteStore({ ...OPTIONS, file, logger: recordingLogger() });
    await refusal(second.start());
    await first.store.stop();
    await second.start();
    cleanups.push(() => second.stop());
    expect(second.trouble()).toBeNull();
  });

  test('goes on with another number of iterations that is worth reusing', async () => {
    const file = await newFile();
    const first = await open(file, { reuseIterations: 1_000_000 });
    await first.store.submit([kit.computed(job('c', 5_000))]);
    expect(await first.store.submit([job('c', 6_000)])).toMatchObject([{ job: { position: 1 } }]);
    await first.store.stop();
    const second = await open(file, { reuseIterations: 1_000 });
    expect(await second.store.submit([job('c', 7_000)])).toMatchObject([{ job: { position: 5_000 } }]);
  });
});

describe('starting and stopping', () => {
  test('can be repeated, and what was stored is there', async () => {
    const file = await newFile();
    const { store } = await open(file);
    await Promise.all([store.start(), store.start()]);
    await store.submit([job('a')]);
    await Promise.all([store.stop(), store.stop()]);
    await store.stop();
    await store.start();
    expect(await kit.stateOfJob(store, job('a'))).toBe('queued');
    const stopped = store.stop();
    await Promise.all([stopped, store.start()]);
    expect(await kit.stateOfJob(store, job('a'))).toBe('queued');
  });

  test('before a start and after a stop, everything is refused', async () => {
    const file = await newFile();
    const store = createSqliteStore({ ...OPTIONS, file, logger: recordingLogger() });
    expect(await refusal(store.submit([job('a')]))).toBe('the store is not started');
    await store.stop();
    await store.start();
    expect(store.trouble()).toBeNull();
    await store.stop();
    expect(await refusal(store.get(TENANT, ['x']))).toBe('the store is stopped');
    expect(store.trouble()).toBe('the store is stopped');
  });

  test('a stop waits for what was asked before it', async () => {
    const { store } = await open(await newFile());
    const asked = kit.jobs(50).map((each) => store.submit([each]));
    await store.stop();
    expect((await Promise.all(asked)).flat().map(({ kind }) => kind)).toEqual(asked.map(() => 'created'));
  });

  test('a stop during a start ends it', async () => {
    const file = await newFile();
    const store = createSqliteStore({ ...OPTIONS, file, logger: recordingLogger() });
    const started = store.start();
    await store.stop();
    await started;
    await open(file);
  });
});

describe('the thread of the store', () => {
  test('that dies takes what was in hand with it, says so, and can be started again', async () => {
    const logger = recordingLogger();
    const { store, thread } = await open(await newFile(), { logger });
    await store.submit([job('acknowledged')]);
    const asked = kit.jobs(20).map((each) => refusal(store.submit([each])));
    await thread.terminate();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['the thread of the store ended']));
    expect(store.trouble()).toBe('the thread of the store ended');
    expect(logger.records.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'store thread ended', fields: { lost: 20 } },
    ]);
    await store.start();
    expect(store.trouble()).toBeNull();
    expect(await kit.stateOfJob(store, job('acknowledged'))).toBe('queued');
    expect(await store.submit(kit.jobs(20))).toHaveLength(20);
  });

  test('takes so much and no more, and then takes it again', async () => {
    const { store } = await open(await newFile());
    const batch = kit.jobs(10_000, 3);
    const taken = Array.from({ length: MAX_IN_FLIGHT / batch.length }, () => store.submit(batch));
    expect(await refusal(store.submit([job('one more')]))).toBe(
      "more than 100,000 items wait for the store's disk",
    );
    await Promise.all(taken);
    expect(await store.submit([job('one more')])).toMatchObject([{ kind: 'created' }]);
  });

  test('does what is asked after many pages of a list without reading them all first', async () => {
    const { store } = await open(await newFile());
    await store.submit(kit.jobs(1_000, 3));
    let read = 0;
    const query = { tenant: TENANT, state: null, cursor: null, limit: 1_000 };
    const pages = Array.from({ length: 20 }, () => store.list(query).then(() => read++));
    await store.submit([job('between')]);
    await nextTurn();
    expect(read).toBeLessThan(10);
    await Promise.all(pages);
  });

  test('takes so many rows of lists and no more, and goes on taking the rest', async () => {
    const { store } = await open(await newFile());
    const query = { tenant: TENANT, state: null, cursor: null, limit: 1_000 };
    const pages = Array.from({ length: MAX_IN_FLIGHT / query.limit }, () => store.list(query));
    expect(await refusal(store.list(query))).toBe('more than 100,000 rows of lists wait to be read');
    expect(await store.submit([job('meanwhile')])).toMatchObject([{ kind: 'created' }]);
    await Promise.all(pages);
    expect((await store.list(query)).items).toHaveLength(1);
  });

  test('shares one flush among all that is asked in one turn', async () => {
    const file = await newFile();
    const { store } = await open(file);
    const before = framesOf(file).commits.length;
    const asked = kit.jobs(300).map((each) => store.submit([each]));
    await Promise.all([...asked, store.renew('w', 1_000), store.claim('w', { class: 0, limit: 10 })]);
    expect(framesOf(file).commits.length - before).toBe(1);
    await store.get(
      TENANT,
      kit.jobs(300).map(({ id }) => id),
    );
    await store.backlog();
    expect(framesOf(file).commits.length - before).toBe(1);
  });

  test('answers in the order of the questions, whatever shares a transaction', async () => {
    const { store } = await open(await newFile());
    const [created, seen, held, gone] = await Promise.all([
      store.submit([job('a')]),
      kit.stateOfJob(store, job('a')),
      store.claim('w', { class: 0, limit: 1 }),
      store.cancel(TENANT, [job('a').id]),
    ]);
    expect([created[0]!.kind, seen, held.length, gone[0]!.cancelled]).toEqual(['created', 'queued', 1, true]);
  });

  test('lets what cannot be done fail alone', async () => {
    const { store } = await open(await newFile());
    const bad = { ...job('bad'), chain: 'not a digest' };
    const [good, refused, also] = await Promise.all([
      store.submit([job('a'), kit.computed(job('b', 7))]),
      refusal(store.submit([job('c'), bad])),
      store.submit([job('d')]),
    ]);
    expect([...good, ...also].map(({ kind }) => kind)).toEqual(['created', 'known', 'created']);
    expect(refused).toMatch(/chain/);
    expect(store.trouble()).toBe(refused);
    expect(await kit.stateOfJob(store, job('c'))).toBe('unknown');
    expect(await store.backlog()).toMatchObject({ queued: [{ jobs: 2, iterations: 99_998 }, {}, {}, {}] });
    expect(await store.submit([job('c'), kit.computed(job('b', 7))])).toMatchObject([
      { kind: 'created' },
      { kind: 'known', fresh: false },
    ]);
    expect(store.trouble()).toBeNull();
  });
});
