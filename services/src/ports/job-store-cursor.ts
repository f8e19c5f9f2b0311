import type { JobState, JobView } from '../jobs/job.ts';
import { JOB_ID_PATTERN } from '../jobs/id.ts';
import { InvalidCursorError } from './job-store.ts';

/** Where a list goes on: after this live job, or after this result. */
export type Place =
  | { readonly part: 'live'; readonly id: string }
  | { readonly part: 'results'; readonly finishedAt: number; readonly id: string };

const BEGINNING: Place = { part: 'live', id: '' };

export function placeOf(view: JobView): Place {
  if (view.kind === 'live') return { part: 'live', id: view.job.id };
  return { part: 'results', finishedAt: view.result.finishedAt, id: view.result.id };
}

export function writeCursor(place: Place): string {
  const what = place.part === 'live' ? [place.id] : [place.id, place.finishedAt];
  return Buffer.from(JSON.stringify(what)).toString('base64url');
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
  const [id, finishedAt] = what as [string, unknown];
  if (what.length === 1) return { part: 'live', id };
  return Number.isSafeInteger(finishedAt) ? { part: 'results', finishedAt: finishedAt as number, id } : null;
}

function belongs({ part }: Place, state: JobState | null): boolean {
  if (state === null) return true;
  return (part === 'live') === (state === 'queued' || state === 'running');
}
