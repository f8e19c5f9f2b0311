import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { completionOf, job, jobs, stateOfJob, WORKER } from '../../ports/job-store-conformance-facts.ts';
import { StoreUnavailableError, type JobStore } from '../../ports/job-store.ts';
import { interrupted } from './testing/crash.ts';
import { dropDatabase, newDatabase, testStore, withDatabase, type TestStore } from './testing/kit.ts';
import { proxyTo, type Proxy } from './testing/proxy.ts';
import { FACTS, SCENES, SWEEP } from './testing/scenes.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
const uri = 'uri' in server ? server.uri : '';

const LIMITS = {
  serverSelectionMs: 500,
  connectMs: 500,
  waitQueueMs: 500,
  socketMs: 1_000,
  writeConcernMs: 900,
  callMs: 10_000,
};

/** Every call, so that each is seen to say what it cannot do. */
const CALLS: readonly { readonly what: string; readonly call: (store: JobStore) => Promise<unknown> }[] = [
  { what: 'submit', call: (store) => store.submit([job('x')]) },
  { what: 'get', call: (store) => store.get('tenant-a', [job('x').id]) },
  { what: 'list', call: (store) => store.list({ tenant: 'a', state: null, cursor: null, limit: 5 }) },
  { what: 'claim', call: (store) => store.claim(WORKER, { ids: [job('x').id] }) },
  { what: 'complete', call: (store) => store.complete([completionOf(job('x'))]) },
  { what: 'renew', call: (store) => store.renew(WORKER, 1_000) },
  { what: 'sweep', call: (store) => store.sweep({ forgottenAfterMs: 1, limit: 1 }) },
  { what: 'backlog', call: (store) => store.backlog() },
];

/** Results of a large batch that are completed in one call once the way is open again. */
const PART = 50;

/** Where nobody waits long for what will not come. */
const SHORT = { ...LIMITS, serverSelectionMs: 300, connectMs: 300 };

interface Opened extends TestStore {
  readonly proxy: Proxy;
  /** Another client, which is not cut off. */
  readonly direct: JobStore;
}

suite(`a store that is cut off from MongoDB${needs}`, () => {
  const database = newDatabase();
  let closing: (() => Promise<void>)[] = [];
  let over = new AbortController();
  afterEach(async () => {
    over.abort(new Error('the test is over'));
    over = new AbortController();
    for (const close of closing) await close();
    closing = [];
    await dropDatabase({ uri, database });
  });

  async function open(limits = LIMITS): Promise<Opened> {
    const proxy = await proxyTo(Number(/:(\d+)/.exec(uri)![1]));
    const through = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const opened = testStore({ uri: through, database, limits });
    const { store } = opened;
    const { store: direct } = testStore({ uri, database });
    closing = [() => store.stop(), () => direct.stop(), () => proxy.close()];
    await store.start();
    await direct.start();
    return { ...opened, proxy, direct };
  }

  /** Asks until it is answered, or the test is over: then its time limit has ended it. */
  async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
    const { signal } = over;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        expect(error).toBeInstanceOf(StoreUnavailableError);
        signal.throwIfAborted();
        // A store that is stopped refuses at once: without a turn of the event loop nothing else would happen any more.
        await nextTurn();
      }
    }
  }

  test('waits for it at the start', async () => {
    const proxy = await proxyTo(Number(/:(\d+)/.exec(uri)![1]));
    proxy.set('cut');
    const through = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    const { store, logger } = testStore({ uri: through, database, limits: SHORT });
    closing = [() => store.stop(), () => proxy.close()];
    const started = store.start();
    while (logger.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(logger.lines).toEqual(['warn MongoDB cannot be reached yet']);
    expect(store.trouble()).toContain(`MongoDB at 127.0.0.1:${proxy.port} cannot be used: `);
    proxy.set('open');
    await started;
    expect(store.trouble()).toBeNull();
  });

  test('is well when a start succeeds after an attempt that lost its connection', async () => {
    const proxy = await proxyTo(Number(/:(\d+)/.exec(uri)![1]));
    const through = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
    let cuts = 1;
    const { store, logger } = testStore({
      ...{ uri: through, database, limits: SHORT },
      onCommand: (name) => {
        if (name === 'createIndexes' && cuts-- > 0) proxy.set('cut');
        else proxy.set('open');
      },
    });
    closing = [() => store.stop(), () => proxy.close()];
    const started = store.start();
    while (logger.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    proxy.set('open');
    await started;
    expect(cuts).toBeLessThan(1);
    expect(store.trouble()).toBeNull();
    await store.submit([job('a')]);
    expect(store.trouble()).toBeNull();
  });

  test.each([
    { what: 'small', count: 1 },
    { what: 'large', count: 3_000 },
  ])(
    'rejects a $what write within its deadline while packets are dropped, and works again afterwards',
    async ({ count }) => {
      const { store, proxy, direct, logger } = await open({ ...LIMITS, callMs: 1_500 });
      // So large that no socket has room for all of it.
      const tenant = 't'.repeat(10_000);
      const batch = jobs(count).map((facts) => completionOf({ ...facts, tenant }));
      await direct.submit([job('a')]);
      proxy.set('drop');
      const rejected = await Promise.all(
        [store.complete(batch), store.complete([completionOf(job('a'))])].map((call) =>
          call.catch((error: unknown) => error),
        ),
      );
      for (const error of rejected) expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(store.trouble()).not.toBeNull();
      proxy.set('open');
      // In parts: how much of it fits into the deadline depends on the machine.
      for (let at = 0; at < count; at += PART) {
        const part = batch.slice(at, at + PART);
        expect(await untilAnswered(() => store.complete(part))).toHaveLength(part.length);
      }
      await untilAnswered(() => store.complete([completionOf(job('a'))]));
      expect(await stateOfJob(direct, job('a'))).toBe('done');
      expect(store.trouble()).toBeNull();
      if (count > 1)
        expect(logger.lines).toContain('warn MongoDB does not answer: its connections are replaced');
    },
    120_000,
  );

  test('says so, and goes on when the way is open again', async () => {
    const { store, proxy } = await open();
    await store.submit([job('a')]);
    proxy.set('cut');
    for (const { what, call } of CALLS) {
      const fault = await call(store).catch((error: unknown) => error);
      expect({ what, fault }).toEqual({ what, fault: expect.any(StoreUnavailableError) });
    }
    expect(store.trouble()).toMatch(/no primary|away/);
    proxy.set('open');
    const answers = await untilAnswered(() => store.submit([job('a')]));
    expect(answers).toMatchObject([{ kind: 'joined' }]);
    expect(store.trouble()).toBeNull();
  });

  test('does not wait for an answer for ever, and what it asked for can be asked for again', async () => {
    const { store, proxy, direct } = await open();
    proxy.set('mute');
    await expect(store.submit(jobs(20))).rejects.toThrow(StoreUnavailableError);
    proxy.set('cut');
    proxy.set('open');
    const answers = await untilAnswered(() => store.submit(jobs(20)));
    for (const { kind } of answers) expect(['created', 'joined']).toContain(kind);
    expect((await direct.backlog()).queued[0]!.jobs).toBe(20);
  });

  test('finds jobs again that it claimed without learning so', async () => {
    const { store, proxy, direct } = await open();
    await direct.submit(jobs(20));
    proxy.set('mute');
    await expect(store.claim(WORKER, { class: 0, limit: 20 })).rejects.toThrow(StoreUnavailableError);
    await expect(store.claim(WORKER, { ids: jobs(20).map(({ id }) => id) })).rejects.toThrow(
      StoreUnavailableError,
    );
    proxy.set('cut');
    proxy.set('open');
    const again = await untilAnswered(() => store.claim(WORKER, { class: 0, limit: 20 }));
    const owned = await store.owned(WORKER);
    expect(owned).toHaveLength(20);
    for (const { id } of again) expect(owned.map((each) => each.id)).toContain(id);
  });

  test('whose result was stored without its knowing hears that it is known', async () => {
    const { store, proxy, direct } = await open();
    await direct.submit([job('a')]);
    proxy.set('mute');
    await expect(store.complete([completionOf(job('a'))])).rejects.toThrow(StoreUnavailableError);
    proxy.set('cut');
    proxy.set('open');
    const [answer] = await untilAnswered(() => store.complete([completionOf(job('a'))]));
    expect(['stored', 'known']).toContain(answer);
    expect(await stateOfJob(direct, job('a'))).toBe('done');
    expect((await direct.backlog()).queued[0]!.jobs).toBe(0);
  });

  test.each(SCENES.filter(({ what }) => what !== 'give up'))(
    '$what: whichever answer is lost, it is not taken for done, and asking again does it',
    async ({ before, act, end }) => {
      const { link, time, proxy, direct } = await open(SHORT);
      for (let commands = 0; ; commands++) {
        await before(direct);
        const broken = await interrupted(
          commands,
          { link, time },
          {
            act,
            other: async () => proxy.set('deaf'),
          },
        ).catch((error: unknown) => error);
        proxy.set('open');
        if (broken === false) {
          expect(commands).toBeGreaterThan(0);
          return;
        }
        expect({ commands, broken }).toEqual({ commands, broken: expect.any(StoreUnavailableError) });
        await direct.sweep(SWEEP);
        await untilAnswered(() => interrupted(1_000, { link, time }, { act, other: async () => undefined }));
        expect(await stateOfJob(direct, FACTS)).toBe(end);
        await withDatabase({ uri, database }, async (db) => {
          for (const name of ['jobs', 'results']) await db.collection(name).deleteMany({});
        });
      }
    },
    120_000,
  );

  test.each(SCENES.filter(({ what }) => /^(submit|submit with its digest|complete)$/.test(what)))(
    '$what: what was not done is not taken for done, though the next command is answered',
    async ({ before, act, end }) => {
      const { link, time, proxy, direct } = await open({ ...LIMITS, serverSelectionMs: 1_200 });
      for (let commands = 0; ; commands++) {
        await before(direct);
        const told = await interrupted(
          commands,
          { link, time },
          {
            act,
            other: async () => proxy.set('cut'),
            then: () => proxy.set('open'),
          },
        ).catch((error: unknown) => error);
        proxy.set('open');
        if (told === false) return;
        if (told !== true) expect(told).toBeInstanceOf(StoreUnavailableError);
        else expect(await stateOfJob(direct, FACTS)).toBe(end);
        await untilAnswered(() => interrupted(1_000, { link, time }, { act, other: async () => undefined }));
        expect(await stateOfJob(direct, FACTS)).toBe(end);
        await withDatabase({ uri, database }, async (db) => {
          for (const name of ['jobs', 'results']) await db.collection(name).deleteMany({});
        });
      }
    },
    120_000,
  );
});
