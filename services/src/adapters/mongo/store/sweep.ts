import { COST_CLASSES } from '../../../jobs/cost.ts';
import type { JobId, JobResult, LiveJob } from '../../../jobs/job.ts';
import { expire } from '../../../jobs/machine.ts';
import type { Sweep, SweepOptions } from '../../../ports/job-store.ts';
import { BY_ID, findByIds, momentOf, oneBatch, type Context } from './context.ts';
import { liveOf, MARKS, NOBODY, type JobDoc } from './documents.ts';
import { finishMarked, markEnded } from './end.ts';
import { requeue } from './progress.ts';
import { QUEUE_INDEX } from './schemas.ts';
import { dropDone } from './settle.ts';
import { findJobs, soundJobs } from './sound.ts';
import { wrongInQueue } from './unreadable.ts';

const IS_LEASE = { $eq: [{ $type: '$leaseUntil' }, 'date'] };

interface Expired {
  readonly requeued: LiveJob[];
  readonly failed: JobResult[];
}

/** What others left behind. Where there is nothing to do it is four questions, each answered by an index. */
export class Sweeper {
  /** Live jobs are looked at by and by, in the order of their ids: up to here until now. */
  #lookedTo = '';

  async sweep(context: Context, { forgottenAfterMs, limit }: SweepOptions): Promise<Sweep> {
    const owners = await ownersOf(context);
    const failed = owners.some(isMark) ? await finishLeft(context, limit) : [];
    const dead = await withoutLease(
      context,
      owners.filter((owner) => !isMark(owner)),
    );
    const expiredJobs = await expireOwners(context, dead, limit);
    const [forgotten, expired] = await Promise.all([
      findForgotten(context, context.time.now() - forgottenAfterMs, limit),
      deleteExpired(context, limit),
      this.#lookOn(context, limit),
    ]);
    return {
      requeued: expiredJobs.requeued,
      failed: [...failed, ...expiredJobs.failed],
      forgotten,
      expired,
    };
  }

  /**
   * A live job whose result is done already, by a crash between the two commands, is deleted. And one that no other query
   * leads to is read, which finds what is wrong with it.
   */
  async #lookOn(context: Context, limit: number): Promise<void> {
    const options = {
      projection: { owner: 1, class: 1, queuedAt: 1 },
      sort: { _id: 1 },
      limit,
      ...BY_ID,
      ...oneBatch(limit),
    } as const;
    const docs = await context.jobs.find({ _id: { $gt: this.#lookedTo } }, options).toArray();
    const lost = docs.filter((doc) => wrongInQueue(doc) !== null).map(({ _id }) => _id);
    await findByIds(context.jobs, lost);
    await dropDone(
      context,
      docs.map(({ _id }) => _id),
    );
    this.#lookedTo = docs.length < limit ? '' : docs.at(-1)!._id;
  }
}

function isMark(owner: string): boolean {
  return (MARKS as readonly string[]).includes(owner);
}

/** Everybody who holds a job, by leaps through the index. */
async function ownersOf(context: Context): Promise<string[]> {
  const owners = await context.jobs.distinct('owner');
  return owners.filter((owner) => owner !== NOBODY).sort();
}

/** Those whose lease is over, by the database's clock, or who never had one. */
async function withoutLease(context: Context, owners: readonly string[]): Promise<string[]> {
  if (owners.length === 0) return [];
  const alive = await context.workers
    .aggregate<{ _id: string; alive: boolean }>(
      [
        { $match: { _id: { $in: owners } } },
        // Values of other types compare, too, and some would be later than any date.
        { $project: { alive: { $and: [IS_LEASE, { $gt: ['$leaseUntil', context.time.expression] }] } } },
      ],
      oneBatch(owners.length),
    )
    .toArray();
  const spared = new Set(alive.filter((each) => each.alive).map(({ _id }) => _id));
  return owners.filter((owner) => !spared.has(owner));
}

/** Jobs that somebody marked and did not live to end. */
async function finishLeft(context: Context, limit: number): Promise<JobResult[]> {
  const owner = { $in: MARKS as unknown as string[] };
  const docs = await context.jobs.find({ owner }, { limit, hint: QUEUE_INDEX, ...oneBatch(limit) }).toArray();
  return failedOf(context, await soundJobs(context, docs));
}

async function failedOf(context: Context, marked: readonly JobDoc[]): Promise<JobResult[]> {
  const settled = await finishMarked(context, marked);
  return [...settled.values()].flatMap(({ answer, result }) =>
    answer === 'stored' && result.outcome === 'failed' ? [result] : [],
  );
}

/** Takes up to `limit` jobs from workers that are dead, one after the other. */
async function expireOwners(context: Context, dead: readonly string[], limit: number): Promise<Expired> {
  const found: Expired = { requeued: [], failed: [] };
  let left = limit;
  for (const owner of dead) {
    if (left <= 0) break;
    const options = { limit: left, hint: QUEUE_INDEX, ...oneBatch(left) };
    const docs = await soundJobs(context, await context.jobs.find({ owner }, options).toArray());
    left -= docs.length;
    await expireJobs(context, owner, { docs, found });
  }
  return found;
}

async function expireJobs(
  context: Context,
  owner: string,
  { docs, found }: { readonly docs: readonly JobDoc[]; readonly found: Expired },
): Promise<void> {
  const done = await dropDone(
    context,
    docs.map(({ _id }) => _id),
  );
  const moment = momentOf(context);
  const requeued: LiveJob[] = [];
  const failed: JobId[] = [];
  for (const doc of docs) {
    if (done.has(doc._id)) continue;
    const step = expire({ live: liveOf(doc), result: null }, moment);
    if (step.record.live) requeued.push(step.record.live);
    else failed.push(doc._id);
  }
  const refused = await requeue(context, requeued, { owner, deaths: 1 });
  found.requeued.push(...requeued.filter(({ id }) => !refused.has(id)));
  if (failed.length === 0) return;
  await markEnded(context, failed, { mark: 'failed', owner });
  const marked = await findJobs(context, failed, { owner: 'failed' });
  found.failed.push(...(await failedOf(context, [...marked.values()])));
}

/** The oldest first, whatever their class. */
async function findForgotten(context: Context, before: number, limit: number): Promise<LiveJob[]> {
  const filter = { owner: NOBODY, class: { $in: [...COST_CLASSES] }, queuedAt: { $lt: new Date(before) } };
  const options = { sort: { queuedAt: 1 }, limit, hint: QUEUE_INDEX, ...oneBatch(limit) } as const;
  const docs = await soundJobs(context, await context.jobs.find(filter, options).toArray());
  const done = await dropDone(
    context,
    docs.map(({ _id }) => _id),
  );
  return docs.filter(({ _id }) => !done.has(_id)).map(liveOf);
}

/** Up to `limit` results that have expired by the clock of this process and, when they go, by the database's own. */
async function deleteExpired(context: Context, limit: number): Promise<number> {
  const { results, time } = context;
  // What a wrong clock deletes is gone for good. What stays for longer does no harm.
  if (time.trouble() !== null) return 0;
  const expired = {
    expiresAt: { $lte: new Date(time.expiryNow()) },
    $expr: { $lte: ['$expiresAt', time.expression] },
  };
  const options = { projection: { _id: 1 }, sort: { expiresAt: 1 }, limit, ...oneBatch(limit) } as const;
  const docs = await results.find(expired, options).toArray();
  if (docs.length === 0) return 0;
  const ids = docs.map(({ _id }) => _id);
  const { deletedCount } = await results.deleteMany({ _id: { $in: ids }, ...expired }, BY_ID);
  return deletedCount;
}

/** The lease begins now, by the database's clock. */
export async function renewLease(context: Context, worker: string, leaseMs: number): Promise<void> {
  const leaseUntil = { $add: [context.time.expression, Math.floor(leaseMs)] };
  await context.workers.updateOne({ _id: worker }, [{ $set: { leaseUntil } }], { upsert: true });
}
