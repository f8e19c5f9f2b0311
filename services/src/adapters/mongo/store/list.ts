import type { JobId, JobState, JobView } from '../../../jobs/job.ts';
import type { ListQuery, Page } from '../../../ports/job-store.ts';
import { placeOf, readCursor, writeCursor, type Place } from '../../../ports/job-store-cursor.ts';
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

/** Before every result: the last moment that a date can name. */
const NEWEST: ResultPlace = { part: 'results', finishedAt: 8.64e15, id: '' };

/** What one look found, and where the next goes on; null when there is no more. */
interface Look {
  readonly views: readonly JobView[];
  readonly next: Place | null;
}

/** Live jobs by id, then results, the newest first. A page may end early where much had to be looked at for it. */
export async function listPage(context: Context, query: ListQuery): Promise<Page> {
  let place: Place | null = readCursor(query.cursor, query.state);
  const views: JobView[] = [];
  for (let look = 0; look < LOOKS && place && views.length <= query.limit; look++) {
    const wanted = query.limit + 1 - views.length;
    const found: Look =
      place.part === 'live'
        ? await lookAtLive(context, { ...query, place, wanted })
        : await lookAtResults(context, { ...query, place, wanted });
    views.push(...found.views);
    place = found.next;
  }
  const items = views.slice(0, query.limit);
  if (views.length > query.limit) return { items, next: writeCursor(placeOf(items.at(-1)!)) };
  return { items, next: place && writeCursor(place) };
}

interface Want<P extends Place> {
  readonly tenant: string;
  readonly state: JobState | null;
  readonly place: P;
  readonly wanted: number;
}

async function lookAtLive(context: Context, want: Want<LivePlace>): Promise<Look> {
  if (want.state !== null && want.state !== 'queued' && want.state !== 'running')
    return { views: [], next: NEWEST };
  const found = (await sortedRunning(context, want)) ?? (await walk(context, want));
  const docs = await soundJobs(context, found);
  const done = await findResults(
    context,
    docs.map(({ _id }) => _id),
    { outcome: 'done', expiresAt: { $gt: new Date(context.time.expiryNow()) } },
  );
  const views = docs
    .filter(({ _id }) => !done.has(_id))
    .map((doc): JobView => ({ kind: 'live', job: liveOf(doc) }));
  if (found.length === want.wanted) return { views, next: { part: 'live', id: found.at(-1)!._id } };
  const cutAt = await walkedTo(context, want);
  if (cutAt !== null) return { views, next: { part: 'live', id: cutAt } };
  return { views, next: want.state === null ? NEWEST : null };
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
  const hidden = await liveAmong(context, docs);
  const views = (await soundResults(context, docs))
    .filter(({ _id }) => !hidden.has(_id))
    .map((doc): JobView => ({ kind: 'result', result: resultOf(doc) }));
  const last = docs.at(-1);
  if (!last || docs.length < wanted) return { views, next: null };
  return { views, next: { part: 'results', finishedAt: last.finishedAt.getTime(), id: last._id } };
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
