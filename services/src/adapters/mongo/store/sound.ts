import { recomputed, restarted, unrecoverable } from '../../../jobs/checksum.ts';
import type { JobId } from '../../../jobs/job.ts';
import { BY_ID, findByIds, insertMissing, momentOf, type Context } from './context.ts';
import {
  isDamagedJob,
  isDamagedResult,
  jobDoc,
  liveOf,
  resultDoc,
  resultOf,
  type JobDoc,
  type ResultDoc,
} from './documents.ts';

/**
 * Documents as they were written. One whose check value does not match is repaired before anybody sees it: the job is
 * computed again where it is known what it is; otherwise it has failed.
 */
export async function soundJobs(context: Context, docs: readonly JobDoc[]): Promise<JobDoc[]> {
  const damaged = docs.filter(isDamagedJob);
  if (damaged.length === 0) return [...docs];
  const repaired = new Map<JobId, JobDoc | null>();
  for (const doc of damaged) repaired.set(doc._id, await repairJob(context, doc));
  return replaced(docs, repaired);
}

function replaced<T extends JobDoc | ResultDoc>(
  docs: readonly T[],
  repaired: ReadonlyMap<JobId, T | null>,
): T[] {
  return docs.flatMap((doc) => {
    const instead = repaired.get(doc._id);
    return instead === undefined ? [doc] : (instead ?? []);
  });
}

/** Likewise; a damaged result goes, and its job is queued. */
export async function soundResults(context: Context, docs: readonly ResultDoc[]): Promise<ResultDoc[]> {
  const damaged = docs.filter(isDamagedResult);
  if (damaged.length === 0) return [...docs];
  const repaired = new Map<JobId, ResultDoc | null>();
  for (const doc of damaged) repaired.set(doc._id, await repairResult(context, doc));
  return replaced(docs, repaired);
}

/** The live jobs with these ids. */
export async function findJobs(
  context: Context,
  ids: readonly JobId[],
  filter: Parameters<typeof findByIds>[2] = {},
): Promise<Map<JobId, JobDoc>> {
  const found = await findByIds(context.jobs, ids, filter);
  return byId(await soundJobs(context, [...found.values()]));
}

/** The results with these ids. */
export async function findResults(
  context: Context,
  ids: readonly JobId[],
  filter: Parameters<typeof findByIds>[2] = {},
): Promise<Map<JobId, ResultDoc>> {
  const found = await findByIds(context.results, ids, filter);
  return byId(await soundResults(context, [...found.values()]));
}

function byId<T extends JobDoc | ResultDoc>(docs: readonly T[]): Map<JobId, T> {
  return new Map(docs.map((doc) => [doc._id, doc]));
}

/** What is there now; null when the job has failed. */
async function repairJob(context: Context, doc: JobDoc): Promise<JobDoc | null> {
  const { _id, position, digest, iterations } = doc;
  const job = restarted(liveOf(doc));
  context.onDamaged?.({ job: _id, what: 'checkpoint', position, recomputed: job !== null });
  const asRead = { _id, position, iterations, digest: digest ?? null } as object;
  if (!job) {
    const failed = unrecoverable(liveOf(doc), momentOf(context));
    await insertMissing(context.results, [resultDoc(failed)]);
    await context.jobs.deleteOne(asRead, BY_ID);
    return null;
  }
  const { checksum, checksumAt, class: costClass } = jobDoc(job);
  const begun = { position: 1, class: costClass, attempts: 0, checksum: checksum!, checksumAt: checksumAt! };
  // Where somebody has moved the job meanwhile, that is as good.
  await context.jobs.updateOne(asRead, { $set: begun, $unset: { digest: '' } }, BY_ID);
  const { digest: _damaged, ...rest } = doc;
  return { ...rest, ...begun };
}

/** The job is there again before its result goes: nobody finds neither. */
async function repairResult(context: Context, doc: ResultDoc): Promise<ResultDoc | null> {
  const { _id, iterations, digest } = doc;
  const result = resultOf(doc);
  if (result.outcome !== 'done') return dropPoint(context, doc);
  const moment = momentOf(context);
  const job = recomputed(result, moment);
  context.onDamaged?.({ job: _id, what: 'result', position: iterations, recomputed: job !== null });
  const asRead = { _id, iterations, digest: digest ?? null } as object;
  if (job) {
    await insertMissing(context.jobs, [jobDoc(job)]);
    await context.results.deleteOne(asRead, BY_ID);
    return null;
  }
  const failed = resultDoc(unrecoverable(result, moment));
  await context.results.replaceOne(asRead, failed, BY_ID);
  return failed;
}

/** A cancelled or failed job whose point is damaged begins anew when it is submitted again. */
async function dropPoint(context: Context, doc: ResultDoc): Promise<ResultDoc> {
  const { checksum, position = 1, pointDigest: _damaged, ...rest } = doc;
  context.onDamaged?.({ job: doc._id, what: 'checkpoint', position, recomputed: true });
  await context.results.updateOne(
    { _id: doc._id, checksum: checksum! },
    { $unset: { checksum: '', position: '', pointDigest: '' } },
    BY_ID,
  );
  return rest;
}
