import type { JobId, JobState, JobView } from '../../../jobs/job.ts';
import type { ListQuery, Page } from '../../../ports/job-store.ts';
import {
  AFTER_EVERY_ID,
  idOf,
  placeOf,
  readCursor,
  writeCursor,
  type Place,
} from '../../../ports/job-store-cursor.ts';
import { BY_ID, findByIds, oneBatch, type Context } from './context.ts';
import { isMarked, liveOf, MARKS, NOBODY, resultOf, type JobDoc, type ResultDoc } from './documents.ts';
import { QUEUE_INDEX, LIST_INDEX } from './schemas.ts';
import { findResults, soundJobs, soundResults } from './sound.ts';
import { wrongInJob } from './unreadable.ts';

/** Live jobs looked at in one walk, so that a tenant with few among very many does not hold up the rest. */
const WALK = 20_000;
/** Up to so many running jobs are sorted; more are walked through like the queued. */
const SORTABLE = 5_000;
/** Looks for one page: what is hidden is left out after a look. */
const LOOKS = 10;

type LivePlace = Extract<Place, { part: 'live' }>;
type ResultPlace = Extract<Place, { part: 'results' }>;

/** The last id that there can be. */
const LAST_ID = `7${'z'.repeat(25)}`;

/** Before every result: the last moment that a date can name. */
const NEWEST: ResultPlace = { part: 'results', finishedAt: 8.64e15, id: '' };

/** A job, and where a list goes on after it. */
interface Found {
  readonly view: JobView;
  readonly place: Place;
}

/** What one look found, and where the next goes on; null when there is no more. */
interface Look {
  readonly found: readonly Found[];
  readonly next: Place | null;
}

/**
 * Live jobs by id, and among them what has ended since the first page; then results, the newest first. A page may end early
 * where much had to be looked at for it.
 */
export async function listPage(context: Context, query: ListQuery): Promise<Page> {
  let place: Place | null = begun(readCursor(query.cursor, query.state), query, context.time.now());
  const found: Found[] = [];
  for (let look = 0; look < LOOKS && place && found.length <= query.limit; look++) {
    const wanted = query.limit + 1 - found.length;
    const more: Look =
      place.part === 'live'
        ? await lookAtLive(context, { ...query, place, wanted })
        : await lookAtResults(context, { ...query, place, wanted });
    found.push(...more.found);
    place = more.next;
  }
  const items = found.slice(0, query.limit).map(({ view }) => view);
  if (found.length > query.limit) return { items, next: writeCursor(found[query.limit - 1]!.place) };
  // The beginning of the results has no id, and no cursor: an empty look at the live jobs leads there again.
  if (place?.part === 'results' && place.id === AFTER_EVERY_ID)
    return { items, next: writeCursor({ part: 'live', id: LAST_ID, since: place.finishedAt }) };
  return { items, next: place && writeCursor(place) };
}

/** Lists of all states remember when they began. */
function begun(place: Place, { state }: ListQuery, now: number): Place {
  return place.part === 'live' && state === null ? { ...place, since: place.since ?? now } : place;
}

interface Want<P extends Place> {
  readonly tenant: string;
  readonly state: JobState | null;
  readonly place: P;
  readonly wanted: number;
}

async function lookAtLive(context: Context, want: Want<LivePlace>): Promise<Look> {
  if (want.state !== null && want.state !== 'queued' && want.state !== 'running')
    return { found: [], next: NEWEST };
  const { since } = want.place;
  const read = (await sortedRunning(context, want)) ?? (await walk(context, want));
  const cutAt = read.length === want.wanted ? read.at(-1)!._id : await walkedTo(context, want);
  const docs = await soundJobs(context, read);
  const done = await findResults(
    context,
    docs.map(({ _id }) => _id),
    { outcome: 'done', expiresAt: { $gt: new Date(context.time.expiryNow()) } },
  );
  const live = docs
    .filter(({ _id }) => !done.has(_id))
    .map((doc): JobView => ({ kind: 'live', job: liveOf(doc) }));
  const foundAt = (views: readonly JobView[]): Found[] =>
    views.map((view) => ({ view, place: { part: 'live', id: idOf(view), since } }));
  const nextAt = (id: JobId | null): Place | null => (id === null ? null : { part: 'live', id, since });
  if (since === null) return { found: foundAt(live), next: nextAt(cutAt) };
  const ended = await endedSince(context, want, { since, upTo: cutAt ?? AFTER_EVERY_ID });
  const upTo = ended.cutAt ?? cutAt;
  // One that ended in between is in both: it has a result now.
  const byId = new Map([...live, ...ended.views].map((view) => [idOf(view), view]));
  const views = [...byId.values()]
    .filter((view) => upTo === null || idOf(view) <= upTo)
    .sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
  const results: ResultPlace = { part: 'results', finishedAt: since, id: AFTER_EVERY_ID };
  return { found: foundAt(views), next: nextAt(upTo) ?? results };
}

/** Results of the ids that a look at live jobs has come by, where they ended since the list began. */
async function endedSince(
  context: Context,
  { tenant, place, wanted }: Want<LivePlace>,
  { since, upTo }: { readonly since: number; readonly upTo: string },
): Promise<{ readonly views: readonly JobView[]; readonly cutAt: JobId | null }> {
  const filter = {
    tenant,
    outcome: { $in: ['done', 'cancelled', 'failed'] },
    finishedAt: { $gte: new Date(since) },
    _id: { $gt: place.id, $lte: upTo },
    expiresAt: { $gt: new Date(context.time.expiryNow()) },
  } as object;
  const options = { sort: { _id: 1 }, limit: wanted, hint: LIST_INDEX, ...oneBatch(wanted) } as const;
  const docs = await context.results.find(filter, options).toArray();
  const cutAt = docs.length === wanted ? docs.at(-1)!._id : null;
  return { views: await shownOf(context, docs), cutAt };
}

function ownerIn(state: JobState | null): object {
  if (state === 'queued') return { owner: NOBODY };
  const marks = [...MARKS];
  return { owner: state === 'running' ? { $gt: NOBODY, $nin: marks } : { $nin: marks } };
}

/** Few run among very many that wait: they are found by their owners. Null when there are too many of them. */
async function sortedRunning(context: Context, want: Want<LivePlace>): Promise<JobDoc[] | null> {
  const { tenant, state, place, wanted } = want;
  if (state !== 'running') return null;
  const running = await context.jobs.countDocuments(ownerIn(state), {
    hint: QUEUE_INDEX,
    limit: SORTABLE + 1,
  });
  if (running > SORTABLE) return null;
  const filter = { ...ownerIn(state), tenant, _id: { $gt: place.id } };
  const options = { sort: { _id: 1 }, limit: wanted, hint: QUEUE_INDEX, ...oneBatch(wanted) } as const;
  return context.jobs.find(filter, options).toArray();
}

async function walk(context: Context, { tenant, state, place, wanted }: Want<LivePlace>): Promise<JobDoc[]> {
  const pipeline = [
    { $match: { _id: { $gt: place.id } } },
    { $sort: { _id: 1 } },
    { $limit: WALK },
    { $match: { tenant, ...ownerIn(state) } },
    { $limit: wanted },
  ];
  const look = (): Promise<JobDoc[]> =>
    context.jobs.aggregate<JobDoc>(pipeline, { ...BY_ID, ...oneBatch(wanted) }).toArray();
  const docs = await look();
  const bad = docs.filter((doc) => wrongInJob(doc) !== null);
  if (bad.length === 0) return docs;
  // Reading them by id moves them to quarantine.
  await findByIds(
    context.jobs,
    bad.map(({ _id }) => _id),
  );
  return (await look()).filter((doc) => wrongInJob(doc) === null);
}

/** Where a walk that found too little was cut short; null when it came to the end. */
async function walkedTo(context: Context, { place }: Want<LivePlace>): Promise<JobId | null> {
  const options = { projection: { _id: 1 }, sort: { _id: 1 }, skip: WALK - 1, limit: 1, ...BY_ID } as const;
  const [last] = await context.jobs.find({ _id: { $gt: place.id } }, options).toArray();
  return last?._id ?? null;
}

async function lookAtResults(context: Context, want: Want<ResultPlace>): Promise<Look> {
  const { place, wanted } = want;
  const finishedAt = new Date(place.finishedAt);
  const same =
    place === NEWEST ? [] : await resultsFrom(context, want, { finishedAt, _id: { $gt: place.id } });
  const left = wanted - same.length;
  const older =
    left > 0
      ? await resultsFrom(context, { ...want, wanted: left }, { finishedAt: { $lt: finishedAt } })
      : [];
  const docs = [...same, ...older];
  const found = (await shownOf(context, docs)).map((view) => ({ view, place: placeOf(view, null) }));
  const last = docs.at(-1);
  if (!last || docs.length < wanted) return { found, next: null };
  return { found, next: { part: 'results', finishedAt: last.finishedAt.getTime(), id: last._id } };
}

async function shownOf(context: Context, docs: readonly ResultDoc[]): Promise<JobView[]> {
  const hidden = await liveAmong(context, docs);
  return (await soundResults(context, docs))
    .filter(({ _id }) => !hidden.has(_id))
    .map((doc): JobView => ({ kind: 'result', result: resultOf(doc) }));
}

async function resultsFrom(
  context: Context,
  { tenant, state, wanted }: Want<ResultPlace>,
  from: object,
): Promise<ResultDoc[]> {
  const outcome = state ?? { $in: ['done', 'cancelled', 'failed'] };
  const filter = {
    tenant,
    outcome,
    ...from,
    expiresAt: { $gt: new Date(context.time.expiryNow()) },
  } as object;
  const sort = { finishedAt: -1, _id: 1 } as const;
  const options = { sort, limit: wanted, hint: LIST_INDEX, ...oneBatch(wanted) };
  return context.results.find(filter, options).toArray();
}

/** Cancelled or failed jobs that were submitted again are shown as what they are now. */
async function liveAmong(context: Context, docs: readonly ResultDoc[]): Promise<Set<JobId>> {
  const ids = docs.filter(({ outcome }) => outcome !== 'done').map(({ _id }) => _id);
  const live = await findByIds(context.jobs, ids);
  return new Set([...live.values()].filter((job) => !isMarked(job)).map(({ _id }) => _id));
}
