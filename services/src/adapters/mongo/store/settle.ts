import type { JobId, JobResult } from '../../../jobs/job.ts';
import { used } from '../../../jobs/machine.ts';
import { BY_ID, eachOf, insertMissing, momentOf, oneBatch, untilSettled, type Context } from './context.ts';
import { resultDoc, resultOf, type ResultDoc } from './documents.ts';
import { findResults, soundResults } from './sound.ts';

/** `stored`: the new result stands; `kept`: another one stood there already, and stays. */
export interface Settled {
  readonly answer: 'stored' | 'kept';
  /** The result that stands now. */
  readonly result: JobResult;
}

/**
 * Brings results into the store; ids differ. A done result is final. A cancelled or failed one gives way to what comes
 * later, and an expired one to everything. When this has resolved a majority has what stands.
 */
export async function settle(context: Context, incoming: readonly JobResult[]): Promise<Map<JobId, Settled>> {
  const settled = new Map<JobId, Settled>();
  await untilSettled(incoming, async (results) => {
    const taken = await insertMissing(context.results, results.map(resultDoc));
    for (const result of results)
      if (!taken.has(result.id)) settled.set(result.id, { answer: 'stored', result });
    const contested = results.filter(({ id }) => taken.has(id));
    if (contested.length === 0) return [];
    const found = await findResults(context, [...taken]);
    const outcomes = await eachOf(contested, (result) => contest(context, result, found.get(result.id)));
    contested.forEach(({ id }, i) => outcomes[i] && settled.set(id, outcomes[i]));
    return contested.filter((_, i) => outcomes[i] === null);
  });
  return settled;
}

/** Null where it has to be looked at again: what stood there has gone, or changed, or a majority does not have it yet. */
async function contest(
  context: Context,
  result: JobResult,
  standing: ResultDoc | undefined,
): Promise<Settled | null> {
  if (!standing) return null;
  if (stays(standing, result, context.time.now())) return { answer: 'kept', result: resultOf(standing) };
  const { _id, outcome, finishedAt } = standing;
  const doc = resultDoc(result);
  const { matchedCount } = await context.results.replaceOne({ _id, outcome, finishedAt }, doc, BY_ID);
  return matchedCount === 1 ? { answer: 'stored', result } : null;
}

function stays(standing: ResultDoc, incoming: JobResult, now: number): boolean {
  if (standing.expiresAt.getTime() <= now) return false;
  if (standing.outcome === 'done') return true;
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
  const expiresAt = { $gt: new Date(context.time.now()) };
  const filter = { _id: { $in: ids }, outcome: 'done' as const, expiresAt };
  const options = { ...BY_ID, ...oneBatch(ids.length) };
  const docs = await soundResults(context, await context.results.find(filter, options).toArray());
  const done = docs.map(({ _id }) => _id);
  await dropLive(context, done);
  return new Set(done);
}
