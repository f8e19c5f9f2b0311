import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { MAX_ATTEMPTS } from '../../jobs/limits.ts';
import {
  checkpointOf,
  completionOf,
  computed,
  job,
  stateOfJob,
  TENANT,
  WORKER,
} from '../../ports/job-store-conformance-facts.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { completeBatch } from './store/complete.ts';
import { claimJobs } from './store/claim.ts';
import type { Context } from './store/context.ts';
import { MARKS } from './store/documents.ts';
import { cancelBatch } from './store/end.ts';
import { checkpointBatch, releaseBatch } from './store/progress.ts';
import { submitBatch } from './store/submit.ts';
import { Sweeper } from './store/sweep.ts';
import { crashAfter } from './testing/crash.ts';
import { dropDatabase, newDatabase, testStore, withDatabase, type TestStore } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';

const FACTS = job('a');
const SWEEP = { forgottenAfterMs: 0, limit: 1_000 };
const point = checkpointOf(FACTS, 700);

interface Scene {
  readonly what: string;
  readonly before: (store: JobStore) => Promise<unknown>;
  readonly act: (context: Context) => Promise<unknown>;
  /** What the job may be when the process ended in the middle and the sweep has been there. */
  readonly middle: readonly string[];
  /** What it is when the same was asked again. */
  readonly end: string;
}

const queued = (store: JobStore): Promise<unknown> => store.submit([FACTS]);
const running = async (store: JobStore): Promise<void> => {
  await store.submit([FACTS]);
  await store.claim(WORKER, { ids: [FACTS.id] });
};
const cancelled = async (store: JobStore): Promise<void> => {
  await store.submit([FACTS]);
  await store.cancel(TENANT, [FACTS.id]);
};
const almostFailed = async (store: JobStore): Promise<void> => {
  await store.submit([FACTS]);
  for (let death = 1; death < MAX_ATTEMPTS; death++) {
    await store.claim('ghost', { ids: [FACTS.id] });
    await store.sweep(SWEEP);
  }
  await store.claim('ghost', { ids: [FACTS.id] });
};
const submit = (context: Context): Promise<unknown> => submitBatch(context, [FACTS]);
const complete = (context: Context): Promise<unknown> => completeBatch(context, [completionOf(FACTS)]);

const SCENES: readonly Scene[] = [
  {
    what: 'submit',
    before: async () => undefined,
    act: submit,
    middle: ['unknown', 'queued'],
    end: 'queued',
  },
  {
    what: 'submit with its digest',
    before: running,
    act: (context) => submitBatch(context, [computed(FACTS)]),
    middle: ['queued', 'done'],
    end: 'done',
  },
  {
    what: 'submit what was cancelled',
    before: cancelled,
    act: submit,
    middle: ['cancelled', 'queued'],
    end: 'queued',
  },
  {
    what: 'claim',
    before: queued,
    act: (context) => claimJobs(context, WORKER, { class: 0, limit: 1 }),
    middle: ['queued'],
    end: 'running',
  },
  {
    what: 'checkpoint',
    before: running,
    act: (context) => checkpointBatch(context, WORKER, [point]),
    middle: ['queued'],
    end: 'queued',
  },
  {
    what: 'release',
    before: running,
    act: (context) => releaseBatch(context, WORKER, [point]),
    middle: ['queued'],
    end: 'queued',
  },
  { what: 'complete', before: running, act: complete, middle: ['queued', 'done'], end: 'done' },
  {
    what: 'complete what was cancelled',
    before: cancelled,
    act: complete,
    middle: ['cancelled', 'done'],
    end: 'done',
  },
  {
    what: 'cancel',
    before: running,
    act: (context) => cancelBatch(context, TENANT, [FACTS.id]),
    middle: ['queued', 'cancelled'],
    end: 'cancelled',
  },
  {
    what: 'requeue',
    before: running,
    act: (context) => new Sweeper().sweep(context, SWEEP),
    middle: ['queued'],
    end: 'queued',
  },
  {
    what: 'give up',
    before: almostFailed,
    act: (context) => new Sweeper().sweep(context, SWEEP),
    middle: ['failed'],
    end: 'failed',
  },
];

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
