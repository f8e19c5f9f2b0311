import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobFacts, JobView } from '../../jobs/job.ts';
import {
  checkpointOf,
  completionOf,
  computed,
  DAY_MS,
  job,
  TENANT,
  viewOfJob,
} from '../../ports/job-store-conformance-facts.ts';
import { Oracle } from '../../ports/job-store-conformance-oracle.ts';
import type { Submitted } from '../../ports/job-store.ts';
import { claimJobs } from './store/claim.ts';
import { completeBatch } from './store/complete.ts';
import type { Context } from './store/context.ts';
import { isMarked } from './store/documents.ts';
import { cancelBatch } from './store/end.ts';
import { checkpointBatch, releaseBatch } from './store/progress.ts';
import { submitBatch } from './store/submit.ts';
import { Sweeper } from './store/sweep.ts';
import { interrupted } from './testing/crash.ts';
import { dropDatabase, FrozenTime, newDatabase, OPTIONS, testStore, type TestStore } from './testing/kit.ts';
import { needMongo } from './testing/server.ts';

const server = await needMongo();
const suite = 'uri' in server ? describe : describe.skip;
const needs = 'uri' in server ? '' : ' (needs Docker)';
/** Many commands, each of which waits for the disk. */
const LIMIT_MS = 300_000;
const SWEEP = { forgottenAfterMs: DAY_MS, limit: 1_000 };

/** Something that a client does with one job: to the database, to the store, and to the machine. */
interface Act {
  readonly what: string;
  readonly there: (context: Context, facts: JobFacts) => Promise<unknown>;
  readonly here: (oracle: Oracle, facts: JobFacts) => unknown;
}

/** In the place of an act: what everybody sees in the end. */
const VIEW: Act = { what: 'view', there: async () => undefined, here: () => undefined };

const at = (facts: JobFacts, position: number) => checkpointOf(facts, position);

/** What a client is told in a word or two; what it is shown of the job is looked at afterwards. */
function wordOf(answer: Submitted | undefined): string | undefined {
  return answer?.kind === 'known' ? `known${answer.fresh ? ', fresh' : ''}` : answer?.kind;
}

/** `w1` has no lease and is dead for whoever sweeps; `w2` lives. */
const ACTS: readonly Act[] = [
  {
    what: 'submit',
    there: async (context, facts) => wordOf((await submitBatch(context, [facts]))[0]),
    here: (oracle, facts) => wordOf(oracle.submit(facts, null)),
  },
  {
    what: 'submit with its digest',
    there: async (context, facts) => wordOf((await submitBatch(context, [computed(facts)]))[0]),
    here: (oracle, facts) => wordOf(oracle.submit(computed(facts), null)),
  },
  {
    what: 'claim',
    there: async (context, facts) => (await claimJobs(context, 'w2', { ids: [facts.id] })).length,
    here: (oracle, facts) => Number(oracle.claim('w2', facts.id) !== null),
  },
  {
    what: 'checkpoint',
    // Whether the job was lost meanwhile, the next checkpoint tells.
    there: async (context, facts) => void (await checkpointBatch(context, 'w1', [at(facts, 700)])),
    here: (oracle, facts) => void oracle.checkpoint('w1', facts.id, at(facts, 700)),
  },
  {
    what: 'release',
    there: async (context, facts) => (await releaseBatch(context, 'w1', [at(facts, 1)]))[0],
    here: (oracle, facts) => oracle.release('w1', facts.id, at(facts, 1)),
  },
  {
    what: 'complete',
    there: async (context, facts) => (await completeBatch(context, [completionOf(facts, 'w1')]))[0],
    here: (oracle, facts) => oracle.complete(completionOf(facts, 'w1')),
  },
  {
    what: 'cancel',
    there: async (context, facts) => (await cancelBatch(context, TENANT, [facts.id]))[0]?.cancelled,
    here: (oracle, facts) => oracle.cancel(TENANT, facts.id)?.cancelled,
  },
  {
    what: 'sweep',
    there: async (context) => void (await new Sweeper().sweep(context, SWEEP)),
    here: (oracle) => void oracle.sweep(DAY_MS),
  },
];

/** What has happened to the job before. */
interface Beginning {
  readonly from: string;
  readonly acts: readonly string[];
  readonly worker?: string;
}

const BEGINNINGS: readonly Beginning[] = [
  { from: 'nothing', acts: [] },
  { from: 'a queued job', acts: ['submit'] },
  { from: 'a running job', acts: ['submit'], worker: 'w1' },
  { from: 'a cancelled job', acts: ['submit', 'cancel'] },
  { from: 'a job cancelled and submitted again', acts: ['submit', 'cancel', 'submit'] },
];

const PAIRS = BEGINNINGS.flatMap((beginning) => ACTS.map((act) => ({ ...beginning, what: act.what, act })));

suite(`what happens between two commands${needs}`, () => {
  const place = { uri: 'uri' in server ? server.uri : '', database: newDatabase() };
  const time = new FrozenTime();
  let opened: TestStore;
  let number = 0;

  beforeAll(async () => {
    opened = testStore({ ...place, time });
    await opened.store.start();
    await opened.store.renew('w2', DAY_MS);
  });
  afterAll(async () => {
    await opened.store.stop();
    await dropDatabase(place);
  });

  const now = <T>(act: (context: Context) => Promise<T>): Promise<T> =>
    opened.link.run((collections) => act({ ...collections, ...OPTIONS, time }));

  const actNamed = (what: string): Act => ACTS.find((each) => each.what === what)!;

  /** What `act` and `other` are told, and what everybody sees then, when they come in this order. */
  function outcomeOf(facts: JobFacts, beginning: Beginning, order: readonly Act[]): Map<Act, unknown> {
    const oracle = new Oracle(OPTIONS, () => time.now());
    oracle.renew('w2', DAY_MS);
    for (const each of beginning.acts) actNamed(each).here(oracle, facts);
    if (beginning.worker) oracle.claim(beginning.worker, facts.id);
    return new Map([
      ...order.map((each) => [each, each.here(oracle, facts)] as const),
      [VIEW, timeless(oracle.view(TENANT, facts.id))],
    ]);
  }

  /** `other` before the first command of `act`, then before the second, and so on, each time with a new job. */
  async function interleave(beginning: Beginning, act: Act, other: Act): Promise<void> {
    for (let commands = 0; ; commands++) {
      const facts = job(`job ${number++}`);
      for (const each of beginning.acts) await now((context) => actNamed(each).there(context, facts));
      if (beginning.worker) await opened.store.claim(beginning.worker, { ids: [facts.id] });
      const told = new Map<Act, unknown>();
      const happened = await interrupted(commands, opened, {
        act: async (context) => told.set(act, await act.there(context, facts)),
        other: async () => told.set(other, await now((context) => other.there(context, facts))),
      });
      told.set(VIEW, timeless(await viewOfJob(opened.store, facts)));
      const orders = [
        [act, other],
        [other, act],
      ]
        .map((order) => outcomeOf(facts, beginning, order))
        .flatMap((order) => [order, answeredLate(order)]);
      const names = (map: Map<Act, unknown>): unknown =>
        [...map].map(([{ what }, value]) => ({ what, value }));
      if (happened && act !== other && !orders.some((order) => isDeepStrictEqual(order, told)))
        expect({ commands, told: names(told) }).toEqual({ commands, told: orders.map(names) });
      expect({ other: other.what, commands, left: await leftOf(facts) }).toMatchObject({ left: 'nothing' });
      await opened.store.complete([completionOf(facts)]);
      if (!happened) return;
    }
  }

  test.each(PAIRS)(
    'from $from, $what and anything else: as if one came first',
    async ({ act, ...beginning }) => {
      // A sweep acts on everything there is: it is kept apart from what other rounds do.
      const apart = (other: Act): boolean => other.what === 'sweep' || act.what === 'sweep';
      await Promise.all(ACTS.filter((each) => !apart(each)).map((each) => interleave(beginning, act, each)));
      for (const each of ACTS.filter(apart)) await interleave(beginning, act, each);
    },
    LIMIT_MS,
  );

  /** A mark that nobody will take away, or a job that is live and done. */
  function leftOf({ id }: JobFacts): Promise<string> {
    return opened.link.run(async ({ jobs, results }) => {
      const live = await jobs.findOne({ _id: id });
      if (!live) return 'nothing';
      if (isMarked(live)) return 'a mark';
      return (await results.findOne({ _id: id, outcome: 'done' })) ? 'a live job that is done' : 'nothing';
    });
  }
});

/** A submission may learn before it is answered that what it has created is done already. */
function answeredLate(order: ReadonlyMap<Act, unknown>): Map<Act, unknown> {
  const isDone = (order.get(VIEW) as { readonly kind?: string } | null)?.kind === 'result';
  const later = (act: Act, value: unknown): unknown =>
    act.what === 'submit' && value === 'created' && isDone ? 'known' : value;
  return new Map([...order].map(([act, value]) => [act, later(act, value)]));
}

/** Without times, and without who held a job when it was cancelled: a claim may have been under way. */
function timeless(view: JobView | null): unknown {
  const left = new Set(['createdAt', 'queuedAt', 'startedAt', 'finishedAt', 'expiresAt', 'worker']);
  return JSON.parse(JSON.stringify(view), (key, value: unknown) => (left.has(key) ? 0 : value));
}
