import { setTimeout as sleep } from 'node:timers/promises';
import { mongo } from 'mongoose';
import type { JobId } from '../../../jobs/job.ts';
import type { Moment } from '../../../jobs/machine.ts';
import { StoreUnavailableError, type StoreOptions } from '../../../ports/job-store.ts';
import { backoffMs } from '../../../runtime/retry.ts';
import type { JobDoc, ResultDoc } from './documents.ts';
import type { Collections } from './link.ts';
import type { StoreTime } from './time.ts';

/** What every command works with. */
export interface Context extends Collections, StoreOptions {
  readonly time: StoreTime;
}

/** For commands that name their documents by id: nothing else is a good way to them, so the server need not wonder. */
export const BY_ID = { hint: { _id: 1 } } as const;

const DUPLICATE_KEY = 11_000;

/** Commands on single documents that are under way at once, where there is no way to do many with one. */
const SINGLES = 16;

/** How often something is tried again because others changed it meanwhile, and the pauses in between (milliseconds). */
const ROUNDS = 12;
const PAUSE = { baseMs: 2, capMs: 200 };

export function momentOf({ time, retentionMs }: Context): Moment {
  return { now: time.now(), retentionMs };
}

/** Inserts what is not there yet, in one command. Returns the ids that were there. */
export async function insertMissing<T extends JobDoc | ResultDoc>(
  collection: mongo.Collection<T>,
  docs: readonly T[],
): Promise<Set<JobId>> {
  if (docs.length === 0) return new Set();
  try {
    await collection.insertMany(docs as unknown as mongo.OptionalUnlessRequiredId<T>[], { ordered: false });
    return new Set();
  } catch (error) {
    const errors = onlyWriteErrors(error);
    if (!errors?.every(({ code }) => code === DUPLICATE_KEY)) throw error;
    return new Set(errors.map(({ index }) => docs[index]!._id));
  }
}

/**
 * The writes that were refused, where the server has answered and that is all that was wrong. Null where nobody knows
 * what was done: a broken connection comes in the same wrapping, and so does a majority that could not be had.
 */
function onlyWriteErrors(error: unknown): readonly mongo.WriteError[] | null {
  if (!(error instanceof mongo.MongoBulkWriteError)) return null;
  if (error.errorResponse instanceof Error || error.result.getWriteConcernError()) return null;
  const errors = error.result.getWriteErrors();
  return errors.length > 0 ? errors : null;
}

/** The documents with these ids, in one answer. */
export async function findByIds<T extends JobDoc | ResultDoc>(
  collection: mongo.Collection<T>,
  ids: readonly JobId[],
  filter: mongo.Filter<JobDoc> = {},
): Promise<Map<JobId, T>> {
  if (ids.length === 0) return new Map();
  const query = { _id: { $in: ids }, ...filter } as unknown as mongo.Filter<T>;
  const docs = await collection.find(query, { ...BY_ID, ...oneBatch(ids.length) }).toArray();
  return new Map((docs as unknown as T[]).map((doc) => [doc._id, doc]));
}

/** So that up to `most` documents come in one answer, and the server keeps nothing open. */
export function oneBatch(most: number): { batchSize: number } {
  return { batchSize: most + 1 };
}

/** `action` for each item, some at a time, in any order; the answers in order. */
export async function eachOf<T, U>(items: readonly T[], action: (item: T) => Promise<U>): Promise<U[]> {
  const answers = new Array<U>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      answers[at] = await action(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(SINGLES, items.length) }, lane));
  return answers;
}

/**
 * Works on items until none is left: `round` returns those that somebody else changed in between, to be looked at
 * again. Rejects when that does not end.
 */
export async function untilSettled<T>(
  items: readonly T[],
  round: (items: readonly T[]) => Promise<readonly T[]>,
): Promise<void> {
  let left = items;
  for (let number = 0; left.length > 0; number++) {
    if (number === ROUNDS) throw new StoreUnavailableError(`${left.length} jobs keep changing; ask again`);
    if (number > 1) await sleep(backoffMs(number, PAUSE, Math.random));
    left = await round(left);
  }
}

/** Names one call, so that it can find what it did. */
export function newToken(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
}
