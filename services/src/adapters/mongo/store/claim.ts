import type { CostClass, JobId, LiveJob } from '../../../jobs/job.ts';
import type { ClaimWish } from '../../../ports/job-store.ts';
import { BY_ID, newToken, oneBatch, type Context } from './context.ts';
import { liveOf, NOBODY, type JobDoc } from './documents.ts';
import { QUEUE_INDEX } from './schemas.ts';
import { dropDone } from './settle.ts';
import { findJobs, soundJobs } from './sound.ts';

/** Looks at a queue before a claim is content with what it has: others may have been quicker. */
const ATTEMPTS = 4;
/** From the second look on, this many times more jobs are looked at, and some are picked at random. */
const SPREAD = 4;

/** One update takes what is queued of many; of two workers, one gets a job. */
export async function claimJobs(context: Context, worker: string, wish: ClaimWish): Promise<LiveJob[]> {
  const jobs = await ('ids' in wish
    ? take(context, worker, [...new Set(wish.ids)])
    : claimOldest(context, worker, wish));
  // Whoever submits a job at the moment it ends makes it live again, until he sees the result: it must not run meanwhile.
  const done = await dropDone(
    context,
    jobs.map(({ id }) => id),
  );
  return done.size === 0 ? jobs : jobs.filter(({ id }) => !done.has(id));
}

interface Taken {
  /** Names this call in the documents that it took. */
  readonly claim: number;
  readonly count: number;
}

async function mark(context: Context, worker: string, ids: readonly JobId[]): Promise<Taken> {
  const claim = newToken();
  const filter = { _id: { $in: ids }, owner: NOBODY };
  const { modifiedCount } = await context.jobs.updateMany(filter, { $set: { owner: worker, claim } }, BY_ID);
  return { claim, count: modifiedCount };
}

async function take(context: Context, worker: string, ids: readonly JobId[]): Promise<LiveJob[]> {
  if (ids.length === 0) return [];
  return readTaken(context, ids, { worker, ...(await mark(context, worker, ids)) });
}

/** Jobs that were just read: where nobody was quicker, what was read is what was taken. */
async function takeRead(context: Context, worker: string, docs: readonly JobDoc[]): Promise<LiveJob[]> {
  if (docs.length === 0) return [];
  const ids = docs.map(({ _id }) => _id);
  const taken = await mark(context, worker, ids);
  if (taken.count === docs.length) return docs.map((doc) => ({ ...liveOf(doc), owner: worker }));
  return readTaken(context, ids, { worker, ...taken });
}

async function readTaken(
  context: Context,
  ids: readonly JobId[],
  { worker, claim, count }: Taken & { readonly worker: string },
): Promise<LiveJob[]> {
  if (count === 0) return [];
  const mine = await findJobs(context, ids, { owner: worker, claim });
  return [...mine.values()].map(liveOf);
}

async function claimOldest(
  context: Context,
  worker: string,
  { class: costClass, limit }: Extract<ClaimWish, { limit: number }>,
): Promise<LiveJob[]> {
  // By id: a sweep may requeue in between what an earlier look took, and a later look then takes it once more.
  const held = new Map<JobId, LiveJob>();
  for (let attempt = 0; attempt < ATTEMPTS && held.size < limit; attempt++) {
    const wanted = limit - held.size;
    const docs = await oldest(context, costClass, attempt === 0 ? wanted : wanted * SPREAD);
    const chosen = attempt === 0 ? docs : sample(docs, wanted);
    const got = await takeRead(context, worker, chosen);
    for (const job of got) held.set(job.id, job);
    if (got.length === chosen.length) break;
  }
  return [...held.values()].sort((a, b) => a.queuedAt - b.queuedAt);
}

async function oldest(context: Context, costClass: CostClass, limit: number): Promise<JobDoc[]> {
  const options = { sort: { queuedAt: 1 }, limit, hint: QUEUE_INDEX, ...oneBatch(limit) } as const;
  const docs = await context.jobs.find({ owner: NOBODY, class: costClass }, options).toArray();
  return soundJobs(context, docs);
}

/** So many of them, all equally likely. */
function sample<T>(items: readonly T[], count: number): T[] {
  const mixed = [...items];
  for (let at = 0; at < Math.min(count, mixed.length); at++) {
    const other = at + Math.floor(Math.random() * (mixed.length - at));
    [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
  }
  return mixed.slice(0, count);
}

/** What the store thinks is this worker's. */
export async function ownedBy(context: Context, worker: string, most: number): Promise<LiveJob[]> {
  const options = { limit: most, hint: QUEUE_INDEX, ...oneBatch(most) };
  const docs = await context.jobs.find({ owner: worker }, options).toArray();
  return (await soundJobs(context, docs)).map(liveOf);
}
