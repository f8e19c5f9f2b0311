import type { JobState, JobView } from '../jobs/job.ts';
import { JOB_ID_PATTERN } from '../jobs/id.ts';
import { InvalidCursorError } from './job-store.ts';

/**
 * Where a list goes on: after this id among live jobs, or after this result. `since`: when the list of all states began, by
 * the store's clock: what has ended since then stays among the live jobs, by its id, so that a job that ends between two
 * pages is shown once. Null: a list of one state, or a cursor of an earlier version.
 */
export type Place =
  | { readonly part: 'live'; readonly id: string; readonly since: number | null }
  | { readonly part: 'results'; readonly finishedAt: number; readonly id: string };

const BEGINNING: Place = { part: 'live', id: '', since: null };

/** Greater than every id. */
export const AFTER_EVERY_ID = '~';

export function idOf(view: JobView): string {
  return view.kind === 'live' ? view.job.id : view.result.id;
}

/** @param since of the list, where the view stands among the live jobs */
export function placeOf(view: JobView, since: number | null): Place {
  if (view.kind === 'live') return { part: 'live', id: view.job.id, since };
  return { part: 'results', finishedAt: view.result.finishedAt, id: view.result.id };
}

export function writeCursor(place: Place): string {
  return Buffer.from(JSON.stringify(cellsOf(place))).toString('base64url');
}

function cellsOf(place: Place): unknown[] {
  if (place.part === 'results') return [place.id, place.finishedAt];
  return place.since === null ? [place.id] : [place.id, 'live', place.since];
}

/** Throws `InvalidCursorError` for anything that `writeCursor` has not made for such a query. */
export function readCursor(cursor: string | null, state: JobState | null): Place {
  if (cursor === null) return BEGINNING;
  const place = parsed(cursor);
  if (!place || writeCursor(place) !== cursor || !belongs(place, state)) {
    throw new InvalidCursorError('the cursor is not one that this list has given');
  }
  return place;
}

function parsed(cursor: string): Place | null {
  let what: unknown;
  try {
    what = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return null;
  }
  if (!Array.isArray(what) || typeof what[0] !== 'string' || !JOB_ID_PATTERN.test(what[0])) return null;
  const [id, finishedAt, since] = what as [string, unknown, unknown];
  if (what.length === 1) return { part: 'live', id, since: null };
  if (finishedAt === 'live')
    return Number.isSafeInteger(since) ? { part: 'live', id, since: since as number } : null;
  return Number.isSafeInteger(finishedAt) ? { part: 'results', finishedAt: finishedAt as number, id } : null;
}

function belongs({ part }: Place, state: JobState | null): boolean {
  if (state === null) return true;
  return (part === 'live') === (state === 'queued' || state === 'running');
}
