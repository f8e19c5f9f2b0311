import type { JobId, JobResult } from '../../../jobs/job.ts';
import { used } from '../../../jobs/machine.ts';
import {
  BY_ID,
  eachOf,
  findByIds,
  insertMissing,
  momentOf,
  oneBatch,
  untilSettled,
  type Context,
} from './context.ts';
import { isMarked, resultDoc, resultOf, type ResultDoc } from './documents.ts';
import { findResults, soundResults } from './sound.ts';

/** `stored`: the new result stands; `kept`: another one stood there already, and stays. */
export interface Settled {
  readonly answer: 'stored' | 'kept';
  /** The result that stands now. */
  readonly result: JobResult;
}

export interface SettleOptions {
  /** Results of workers: a cancelled job stays as it is, unless it was submitted again. */
  readonly isLate?: boolean;
  /** The marks of the live jobs that end so. */
  readonly marks?: ReadonlyMap<JobId, number | undefined>;
}

/**
 * Brings results into the store; ids differ. A done result is final. A cancelled or failed one gives way to what comes
 * later, and an expired one to everything. When this has resolved a majority has what stands.
 */
export async function settle(
  context: Context,
  incoming: readonly JobResult[],
  { isLate = false, marks }: SettleOptions = {},
): Promise<Map<JobId, Settled>> {
  const docOf = (result: JobResult): ResultDoc => resultDoc(result, marks?.get(result.id));
  const settled = new Map<JobId, Settled>();
  await untilSettled(incoming, async (results) => {
    const taken = await insertMissing(context.results, results.map(docOf));
    for (const result of results)
      if (!taken.has(result.id)) settled.set(result.id, { answer: 'stored', result });
    const contested = results.filter(({ id }) => taken.has(id));
    if (contested.length === 0) return [];
    const found = await findResults(context, [...taken]);
    const refused = isLate ? await unwanted(context, found) : new Set<JobId>();
    const outcomes = await eachOf(contested, (result) => {
      const standing = found.get(result.id);
      return contest(context, {
        result,
        doc: docOf(result),
        standing,
        isRefused: refused.has(result.id),
      });
    });
    contested.forEach(({ id }, i) => outcomes[i] && settled.set(id, outcomes[i]));
    return contested.filter((_, i) => outcomes[i] === null);
  });
  return settled;
}

interface Contest {
  readonly result: JobResult;
  readonly doc: ResultDoc;
  readonly standing: ResultDoc | undefined;
  readonly isRefused: boolean;
}

/** Jobs that were cancelled, and that nobody has submitted since. */
async function unwanted(context: Context, standing: ReadonlyMap<JobId, ResultDoc>): Promise<Set<JobId>> {
  const cancelled = [...standing.values()].filter(({ outcome }) => outcome === 'cancelled');
  const ids = cancelled.map(({ _id }) => _id);
  const live = await findByIds(context.jobs, ids);
  const idle = ids.filter((id) => !live.has(id) || isMarked(live.get(id)!));
  // Somebody may have brought the digest meanwhile: then the job is not cancelled any more.
  return new Set((await findByIds(context.results, idle, { outcome: 'cancelled' })).keys());
}

/** Null where it has to be looked at again: what stood there has gone, or changed, or a majority does not have it yet. */
async function contest(
  context: Context,
  { result, doc, standing, isRefused }: Contest,
): Promise<Settled | null> {
  if (!standing) return null;
  if (stays(standing, result, { now: context.time.expiryNow(), isRefused }))
    return { answer: 'kept', result: resultOf(standing) };
  const { _id, outcome, finishedAt } = standing;
  // The mark tells one cancellation from another of the same moment.
  const asRead = { _id, outcome, finishedAt, mark: standing.mark ?? null } as object;
  const { matchedCount } = await context.results.replaceOne(asRead, doc, BY_ID);
  return matchedCount === 1 ? { answer: 'stored', result } : null;
}

function stays(
  standing: ResultDoc,
  incoming: JobResult,
  { now, isRefused }: { readonly now: number; readonly isRefused: boolean },
): boolean {
  if (standing.expiresAt.getTime() <= now) return false;
  if (standing.outcome === 'done' || isRefused) return true;
  return incoming.outcome !== 'done' && standing.finishedAt.getTime() > incoming.finishedAt;
}

/** Results that were just used again: they are kept for longer, when that moves by a day or more. */
export async function useAgain(context: Context, results: readonly JobResult[]): Promise<JobResult[]> {
  const moment = momentOf(context);
  const after = results.map((result) => used(result, moment));
  const moved = after.filter(({ expiresAt }, i) => expiresAt !== results[i]!.expiresAt);
  if (moved.length > 0) {
    const ids = moved.map(({ id }) => id);
    const expiresAt = new Date(moved[0]!.expiresAt);
    await context.results.updateMany({ _id: { $in: ids } }, { $max: { expiresAt } }, BY_ID);
  }
  return after;
}

/** Ends live jobs whose results stand. */
export async function dropLive(context: Context, ids: readonly JobId[]): Promise<void> {
  if (ids.length > 0) await context.jobs.deleteMany({ _id: { $in: ids } }, BY_ID);
}

/** Deletes the live jobs among these that are done, by results that can be read; returns their ids. */
export async function dropDone(context: Context, ids: readonly JobId[]): Promise<Set<JobId>> {
  if (ids.length === 0) return new Set();
  const expiresAt = { $gt: new Date(context.time.expiryNow()) };
  const filter = { _id: { $in: ids }, outcome: 'done' as const, expiresAt };
  const options = { ...BY_ID, ...oneBatch(ids.length) };
  const docs = await soundResults(context, await context.results.find(filter, options).toArray());
  const done = docs.map(({ _id }) => _id);
  await dropLive(context, done);
  return new Set(done);
}
