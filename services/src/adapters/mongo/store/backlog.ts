import { mongo } from 'mongoose';
import { COST_CLASSES } from '../../../jobs/cost.ts';
import type { Backlog, ClassBacklog } from '../../../ports/job-store.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Context } from './context.ts';
import { MARKS, NOBODY } from './documents.ts';
import { QUEUE_INDEX } from './schemas.ts';
import type { CountedClass, StatsDoc } from './stats.ts';

/** What a count of 10,000 entries of the index costs can be paid each time. */
const MOST = 10_000;

/** A full count is made again when at least this long has passed (milliseconds), and this many times what it took. */
const REST_MS = 2_000;
const REST_TIMES = 20;
/** A count that is older than so many times its rest is not told any more: another one is waited for. */
const STALE_TIMES = 10;
/** What a full count may take, in milliseconds: some ten million entries of the index. */
const COUNT_MS = 10_000;

const ID = 'backlog';
const DUPLICATE_KEY = 11_000;
const RUNNING = 'running';

type Stage = Record<string, unknown>;

interface Row {
  readonly _id: number | typeof RUNNING;
  readonly jobs: number;
  readonly iterations: number;
  readonly oldest: Date | null;
}

/** Counts what waits and what runs, from the index alone. */
export class BacklogCounter {
  readonly #logger: Logger;
  readonly #most: number;
  #counting: Promise<StatsDoc | null> | null = null;

  /** `most`: jobs of a class that are counted each time; of more, the number is as fresh as the last full count. */
  constructor(logger: Logger, most = MOST) {
    this.#logger = logger;
    this.#most = most;
  }

  async read(context: Context): Promise<Backlog> {
    const most = this.#most;
    const rows = await countRows(context, most + 1);
    const exact = backlogOf(rows);
    if (rows.every(({ jobs }) => jobs <= most)) return exact;
    const counted = await this.#counted(context);
    const queued = exact.queued.map((each) =>
      each.jobs > most
        ? larger(
            each,
            counted?.queued?.find((at) => at.class === each.class),
          )
        : each,
    );
    const running = exact.running > most ? Math.max(exact.running, counted?.running ?? 0) : exact.running;
    return { queued, running };
  }

  /** Waits for a count under way, at a stop. */
  async idle(): Promise<void> {
    await this.#counting;
  }

  async #counted(context: Context): Promise<StatsDoc | null> {
    const now = context.time.now();
    const last = await context.stats.findOne({ _id: ID });
    const restMs = last?.tookMs === undefined ? 0 : restOf(last.tookMs);
    // A count from the future is one of before the database's clock was set back.
    const isStale = !last?.countedAt || Math.abs(now - last.countedAt.getTime()) > STALE_TIMES * restMs;
    if (!isStale && last.nextAt.getTime() > now) return last;
    const counting = this.#countOnce(context, isStale);
    return isStale ? await counting : last;
  }

  /** One count at a time in this process, and unless it is waited for, in all of them. Faults are told, not thrown. */
  #countOnce(context: Context, isWaitedFor: boolean): Promise<StatsDoc | null> {
    this.#counting ??= this.#count(context, isWaitedFor)
      .catch((error: unknown) => {
        this.#logger.warn('The backlog could not be counted', { error });
        return null;
      })
      .finally(() => (this.#counting = null));
    return this.#counting;
  }

  async #count(context: Context, isWaitedFor: boolean): Promise<StatsDoc | null> {
    if (!isWaitedFor && !(await takeTurn(context))) return null;
    const startedAt = context.time.now();
    const { queued, running } = backlogOf(await countRows(context, null));
    const countedAt = context.time.now();
    const tookMs = Math.min(COUNT_MS, Math.max(1, countedAt - startedAt));
    const stats = {
      queued: queued.map(({ class: costClass, jobs, iterations }) => ({
        class: costClass,
        jobs,
        iterations,
      })),
      running,
      countedAt: new Date(countedAt),
      tookMs,
      nextAt: new Date(countedAt + restOf(tookMs)),
    };
    await context.stats.updateOne({ _id: ID }, { $set: stats }, { upsert: true });
    return { _id: ID, ...stats };
  }
}

function restOf(tookMs: number): number {
  return Math.max(REST_MS, REST_TIMES * tookMs);
}

/** Whether it is this process that counts now. */
async function takeTurn(context: Context): Promise<boolean> {
  const now = context.time.now();
  try {
    const { matchedCount, upsertedCount } = await context.stats.updateOne(
      { _id: ID, nextAt: { $lte: new Date(now) } },
      { $set: { nextAt: new Date(now + COUNT_MS) } },
      { upsert: true },
    );
    return matchedCount + upsertedCount === 1;
  } catch (error) {
    if (error instanceof mongo.MongoServerError && error.code === DUPLICATE_KEY) return false;
    throw error;
  }
}

/** One command; every part of it is answered by the index alone. `most`: entries looked at in each part, or all. */
async function countRows(context: Context, most: number | null): Promise<Row[]> {
  const limit = most === null ? [] : [{ $limit: most }];
  // What cannot be read counts as a job without work, and does not end the count.
  const areNumbers = { $and: [{ $isNumber: '$iterations' }, { $isNumber: '$position' }] };
  const left = { $sum: { $cond: [areNumbers, { $subtract: ['$iterations', '$position'] }, 0] } };
  const queuedAt = { $cond: [{ $eq: [{ $type: '$queuedAt' }, 'date'] }, '$queuedAt', null] };
  const ofClass = (costClass: number): Stage[] => [
    { $match: { owner: NOBODY, class: costClass } },
    ...(most === null ? [] : [{ $sort: { queuedAt: 1 } }]),
    ...limit,
    {
      $group: {
        _id: { $literal: costClass },
        jobs: { $sum: 1 },
        iterations: left,
        oldest: { $min: queuedAt },
      },
    },
  ];
  const ofRunning: Stage[] = [
    { $match: { owner: { $gt: NOBODY, $nin: [...MARKS] } } },
    ...limit,
    { $group: { _id: RUNNING, jobs: { $sum: 1 } } },
  ];
  const [first, ...others] = [...COST_CLASSES.map(ofClass), ofRunning];
  const unions = others.map((pipeline) => ({ $unionWith: { coll: context.jobs.collectionName, pipeline } }));
  const options = { hint: QUEUE_INDEX, ...(most === null ? { maxTimeMS: COUNT_MS } : {}) };
  return context.jobs.aggregate<Row>([...first, ...unions], options).toArray();
}

function backlogOf(rows: readonly Row[]): Backlog {
  const queued = COST_CLASSES.map((each): ClassBacklog => {
    const row = rows.find(({ _id }) => _id === each);
    if (!row) return { class: each, jobs: 0, iterations: 0, oldestQueuedAt: null };
    const { jobs, iterations, oldest } = row;
    return { class: each, jobs, iterations, oldestQueuedAt: oldest?.getTime() ?? null };
  });
  return { queued, running: rows.find(({ _id }) => _id === RUNNING)?.jobs ?? 0 };
}

function larger(exact: ClassBacklog, counted: CountedClass | undefined): ClassBacklog {
  if (!counted || counted.jobs <= exact.jobs) return exact;
  return { ...exact, jobs: counted.jobs, iterations: counted.iterations };
}
