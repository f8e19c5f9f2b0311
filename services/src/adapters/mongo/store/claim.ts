import type { CostClass, JobId, LiveJob } from '../../../jobs/job.ts';
import type { ClaimWish } from '../../../ports/job-store.ts';
import { BY_ID, findByIds, newToken, oneBatch, type Context } from './context.ts';
import { liveOf, NOBODY } from './documents.ts';
import { QUEUE_INDEX } from './schemas.ts';

/** Looks at a queue before a claim is content with what it has: others may have been quicker. */
const ATTEMPTS = 4;
/** From the second look on, this many times more jobs are looked at, and some are picked at random. */
const SPREAD = 4;

/** One update takes what is queued of many; of two workers, one gets a job. */
export async function claimJobs(context: Context, worker: string, wish: ClaimWish): Promise<LiveJob[]> {
  if ('ids' in wish) return take(context, worker, [...new Set(wish.ids)]);
  return claimOldest(context, worker, wish);
}

async function take(context: Context, worker: string, ids: readonly JobId[]): Promise<LiveJob[]> {
  if (ids.length === 0) return [];
  const claim = newToken();
  const filter = { _id: { $in: ids }, owner: NOBODY };
  const { modifiedCount } = await context.jobs.updateMany(filter, { $set: { owner: worker, claim } }, BY_ID);
  if (modifiedCount === 0) return [];
  const mine = await findByIds(context.jobs, ids, { owner: worker, claim });
  return [...mine.values()].map(liveOf);
}

async function claimOldest(
  context: Context,
  worker: string,
  { class: costClass, limit }: Extract<ClaimWish, { limit: number }>,
): Promise<LiveJob[]> {
  const held: LiveJob[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && held.length < limit; attempt++) {
    const wanted = limit - held.length;
    const looked = attempt === 0 ? wanted : wanted * SPREAD;
    const ids = await oldest(context, costClass, looked);
    const chosen = attempt === 0 ? ids : sample(ids, wanted);
    const got = await take(context, worker, chosen);
    held.push(...got);
    if (got.length === chosen.length) break;
  }
  return held.sort((a, b) => a.queuedAt - b.queuedAt);
}

async function oldest(context: Context, costClass: CostClass, limit: number): Promise<JobId[]> {
  const options = {
    projection: { _id: 1 },
    sort: { queuedAt: 1 },
    limit,
    hint: QUEUE_INDEX,
    ...oneBatch(limit),
  } as const;
  const docs = await context.jobs.find({ owner: NOBODY, class: costClass }, options).toArray();
  return docs.map(({ _id }) => _id);
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
  return docs.map(liveOf);
}
