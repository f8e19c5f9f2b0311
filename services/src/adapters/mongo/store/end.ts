import type { JobId, JobRecord, JobView } from '../../../jobs/job.ts';
import { viewOf } from '../../../jobs/job.ts';
import { MAX_ATTEMPTS } from '../../../jobs/limits.ts';
import { StoreUnavailableError } from '../../../ports/job-store.ts';
import { BY_ID, findByIds, newToken, type Context } from './context.ts';
import {
  endedOf,
  isMarked,
  liveOf,
  MARKS,
  NOBODY,
  resultOf,
  type JobDoc,
  type Mark,
  type ResultDoc,
} from './documents.ts';
import { settle, type Settled } from './settle.ts';
import { findJobs, soundResults } from './sound.ts';

const MARKED = { $in: MARKS as unknown as string[] };

/** How often all is read where damaged results are found. Each look repairs what it finds, so the second is good. */
const LOOKS = 5;

/** What is known of an id, and whose it is. */
interface Known extends JobRecord {
  readonly tenant: string;
}

/**
 * What is known of each id. Live jobs are read first: one that ends in between has its result by then. A marked job
 * lives on until its result is there: a digest that comes before is the end of it. Where a damaged result was found, its job is live by now:
 * all is read again. Rejects with `StoreUnavailableError` where that does not end.
 */
export async function readRecords(context: Context, ids: readonly JobId[]): Promise<Map<JobId, Known>> {
  for (let look = 0; look < LOOKS; look++) {
    const jobs = await findJobs(context, ids);
    const stored = [...(await findByIds(context.results, ids)).values()];
    const sound = await soundResults(context, stored);
    if (sound.length === stored.length) return knownOf(context, ids, { jobs, results: sound });
  }
  throw new StoreUnavailableError('a damaged result is found again and again; ask again');
}

function knownOf(
  context: Context,
  ids: readonly JobId[],
  found: { readonly jobs: ReadonlyMap<JobId, JobDoc>; readonly results: readonly ResultDoc[] },
): Map<JobId, Known> {
  const { jobs } = found;
  const results = new Map(found.results.map((doc) => [doc._id, doc]));
  const known = new Map<JobId, Known>();
  for (const id of ids) {
    const record = recordOf(context, jobs.get(id), results.get(id));
    const any = record.live ?? record.result;
    if (any) known.set(id, { ...record, tenant: any.tenant });
  }
  return known;
}

function recordOf(context: Context, job: JobDoc | undefined, doc: ResultDoc | undefined): JobRecord {
  const isKept = doc !== undefined && doc.expiresAt.getTime() > context.time.expiryNow();
  return recordWith(job, doc, isKept ? resultOf(doc) : null);
}

/** A marked job lives until its own result is there, which bears the same mark. */
function recordWith(
  job: JobDoc | undefined,
  doc: ResultDoc | undefined,
  standing: JobRecord['result'],
): JobRecord {
  if (!job || !isMarked(job)) return { live: job ? liveOf(job) : null, result: standing };
  const isOver = standing?.outcome === 'done' || (job.mark !== undefined && doc?.mark === job.mark);
  if (standing && isOver) return { live: null, result: standing };
  return { live: { ...liveOf(job), owner: job.worker ?? null }, result: standing };
}

export async function getViews(
  context: Context,
  tenant: string,
  ids: readonly JobId[],
): Promise<(JobView | null)[]> {
  const records = await readRecords(context, [...new Set(ids)]);
  return ids.map((id) => {
    const record = records.get(id);
    return record?.tenant === tenant ? viewOf(record) : null;
  });
}

/** What the documents are marked with, and how many there were. */
interface Marked {
  readonly token: number;
  readonly count: number;
}

/**
 * The first of three steps: from now on the job is nobody's to work on, and what its end needs stands in it. With
 * `owner`, only where that worker was the last of too many.
 */
export async function markEnded(
  context: Context,
  ids: readonly JobId[],
  { mark, owner }: { readonly mark: Mark; readonly owner?: string },
): Promise<Marked> {
  const token = newToken();
  if (ids.length === 0) return { token, count: 0 };
  const endedAt = new Date(context.time.now());
  const worker = { $cond: [{ $eq: ['$owner', NOBODY] }, '$$REMOVE', '$owner'] };
  const { matchedCount } = await context.jobs.updateMany(
    owner === undefined
      ? { _id: { $in: ids }, owner: { $nin: MARKS as unknown as string[] } }
      : { _id: { $in: ids }, owner, attempts: { $gte: MAX_ATTEMPTS - 1 } },
    [{ $set: { owner: mark, worker, mark: token, endedAt } }],
    BY_ID,
  );
  return { token, count: matchedCount };
}

/** The second and third step: the results, then the jobs that are still marked. Anybody may do this, and twice. */
export async function finishMarked(
  context: Context,
  marked: readonly JobDoc[],
): Promise<Map<JobId, Settled>> {
  if (marked.length === 0) return new Map();
  const results = marked.map((doc) => endedOf(doc, context.retentionMs));
  const marks = new Map(marked.map(({ _id, mark }) => [_id, mark]));
  const settled = await settle(context, results, { marks });
  const ids = marked.map(({ _id }) => _id);
  await context.jobs.deleteMany({ _id: { $in: ids }, owner: MARKED }, BY_ID);
  return settled;
}

export type Cancelled = { readonly cancelled: boolean; readonly view: JobView } | null;

export async function cancelBatch(
  context: Context,
  tenant: string,
  ids: readonly JobId[],
): Promise<Cancelled[]> {
  const distinct = [...new Set(ids)];
  const before = await readRecords(context, distinct);
  const mine = distinct.filter((id) => before.get(id)?.tenant === tenant);
  const ofTenant = new Set(mine);
  const open = mine.filter((id) => viewOf(before.get(id)!)?.kind === 'live');
  const { token, count } = await markEnded(context, open, { mark: 'cancelled' });
  const marked = await findJobs(context, mine, { owner: MARKED });
  await finishMarked(context, [...marked.values()]);
  const after = await readRecords(context, mine);
  // Of some, others may have been quicker; and a mark that is gone already may have been ours.
  const byThis = new Set(count === open.length ? open : open.filter((id) => marked.get(id)?.mark === token));
  return ids.map((id) => {
    const view = viewOf(after.get(id) ?? before.get(id) ?? { live: null, result: null });
    if (!view || !ofTenant.has(id)) return null;
    return { cancelled: byThis.delete(id) && !isDone(view), view };
  });
}

function isDone(view: JobView): boolean {
  return view.kind === 'result' && view.result.outcome === 'done';
}
