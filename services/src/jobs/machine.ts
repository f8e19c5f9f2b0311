import { costClassOf } from './cost.ts';
import type { ChainPoint, Digest, JobFacts, JobRecord, JobResult, LiveJob, Outcome } from './job.ts';
import { MAX_ATTEMPTS, RETENTION_GRAIN_MS } from './limits.ts';

/**
 * The job state machine, as pure functions over what a store knows of one id. Every `JobStore` must end up where these
 * functions do; its conformance suite holds it to them. The drawing is in `README.md` beside this file.
 */

/** A record and what the event was answered with. */
export interface Step<Answer> {
  readonly record: JobRecord;
  readonly answer: Answer;
}

/** Nothing is known of the id. */
export const UNKNOWN: JobRecord = { live: null, result: null };

/** When it happens, and how long a result is kept after its last use (both in milliseconds). */
export interface Moment {
  readonly now: number;
  readonly retentionMs: number;
}

/** `created`: a new live job; `joined`: one was there already; `known`: the digest is known. */
export type SubmitAnswer = 'created' | 'joined' | 'known' | 'contradiction';

/** The point that is further on. */
export function further(a: ChainPoint | null, b: ChainPoint | null): ChainPoint | null {
  return a && b ? (b.position > a.position ? b : a) : (a ?? b);
}

/** The largest known point on the chain, or where the chain begins. */
export function startOf(facts: JobFacts, known: ChainPoint | null): ChainPoint {
  return known && known.position > 1 && known.position < facts.iterations
    ? known
    : { position: 1, digest: facts.chain };
}

function newJob(facts: JobFacts, from: ChainPoint, now: number): LiveJob {
  return {
    ...facts,
    ...from,
    class: costClassOf(facts.iterations - from.position),
    owner: null,
    attempts: 0,
    createdAt: now,
    queuedAt: now,
  };
}

/**
 * A submission. `known` is a point on the same chain to start from. A done result answers at once, and counts as a use
 * of it; a live job is joined; a cancelled or failed result stays until the new job replaces it, which goes on from where
 * that one stood.
 */
export function submit(
  record: JobRecord,
  facts: JobFacts,
  known: ChainPoint | null,
  moment: Moment,
): Step<SubmitAnswer> {
  if (record.result?.outcome === 'done') {
    return { record: { ...record, result: used(record.result, moment) }, answer: 'known' };
  }
  if (record.live) return { record, answer: 'joined' };
  const from = startOf(facts, further(known, record.result?.point ?? null));
  return { record: { ...record, live: newJob(facts, from, moment.now) }, answer: 'created' };
}

/**
 * A result that was just used again: it is kept for another full retention. Moved in steps of a day, or of a tenth of the
 * retention where that is less, to save writes.
 */
export function used(result: JobResult, { now, retentionMs }: Moment): JobResult {
  const expiresAt = now + retentionMs;
  const grainMs = Math.min(RETENTION_GRAIN_MS, retentionMs / 10);
  return expiresAt - result.expiresAt < grainMs ? result : { ...result, expiresAt };
}

/** A worker takes a queued job. Anything else is left alone. */
export function claim(record: JobRecord, worker: string): Step<LiveJob | null> {
  const { live } = record;
  if (!live || live.owner !== null) return { record, answer: null };
  const job = { ...live, owner: worker };
  return { record: { ...record, live: job }, answer: job };
}

/** `kept`: still this worker's job; `lost`: no longer; `contradiction`: another digest stands at that position. */
export type CheckpointAnswer = 'kept' | 'lost' | 'contradiction';

/** Progress. The larger position wins, whoever reports it; the answer says whether the job is still the worker's own. */
export function checkpoint(record: JobRecord, worker: string, point: ChainPoint): Step<CheckpointAnswer> {
  const { live } = record;
  if (!live) return { record, answer: 'lost' };
  if (point.position === live.position && point.digest !== live.digest)
    return { record, answer: 'contradiction' };
  const answer = live.owner === worker ? 'kept' : 'lost';
  if (point.position <= live.position || point.position >= live.iterations) return { record, answer };
  return { record: { ...record, live: { ...live, ...point, attempts: 0 } }, answer };
}

/** What a worker knows of a job that it finished. `computed` counts the iterations really done by it. */
export interface Completion extends JobFacts {
  readonly digest: Digest;
  readonly computed: number;
  readonly worker: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
}

/** `stored`: the first digest; `known`: it was there already; `contradiction`: another digest is there, and stays. */
export type BringAnswer = 'stored' | 'known' | 'contradiction';

/** `cancelled`: the job was cancelled before, and nobody has submitted it since; nothing changes. */
export type CompleteAnswer = BringAnswer | 'cancelled';

/** The end of a job by its worker. Whoever cancelled a job was told so: what comes later changes nothing. */
export function complete(record: JobRecord, done: Completion, moment: Moment): Step<CompleteAnswer> {
  if (record.result?.outcome === 'cancelled' && !record.live) return { record, answer: 'cancelled' };
  return bring(record, done, moment);
}

/** A digest that somebody wants who submits the job. A cancelled or failed result is replaced. */
export function bring(record: JobRecord, done: Completion, moment: Moment): Step<BringAnswer> {
  const { result } = record;
  if (result?.outcome === 'done') {
    if (result.digest !== done.digest) return { record, answer: 'contradiction' };
    return { record: { live: null, result }, answer: 'known' };
  }
  const { id, tenant, chain, iterations, digest, computed, worker, createdAt, startedAt } = done;
  const ended = { finishedAt: moment.now, expiresAt: moment.now + moment.retentionMs };
  const facts = { id, tenant, chain, iterations };
  const stored: JobResult = {
    ...facts,
    ...ended,
    outcome: 'done',
    digest,
    reason: null,
    computed,
    worker,
    createdAt,
    startedAt,
  };
  return { record: { live: null, result: stored }, answer: 'stored' };
}

/** The worker gives the job back, at the point it has reached. Not its own any more: nothing happens. */
export function release(record: JobRecord, worker: string, point: ChainPoint, now: number): Step<boolean> {
  const { live } = record;
  if (!live || live.owner !== worker) return { record, answer: false };
  const moved = checkpoint(record, worker, point).record.live!;
  return { record: { ...record, live: requeued(moved, now) }, answer: true };
}

/** The worker's lease ran out. Back to the queue, or given up when too many workers died holding the job. */
export function expire(record: JobRecord, moment: Moment): Step<'requeued' | 'failed' | null> {
  const { live } = record;
  if (!live || live.owner === null) return { record, answer: null };
  const attempts = live.attempts + 1;
  if (attempts < MAX_ATTEMPTS) {
    const job = { ...requeued(live, moment.now), attempts };
    return { record: { ...record, live: job }, answer: 'requeued' };
  }
  const reason = `${attempts} workers died holding this job at position ${live.position} without progress; the last was ${live.owner}`;
  return { record: ended(record, live, { outcome: 'failed', reason }, moment), answer: 'failed' };
}

/** Somebody does not want the job any more. Ended jobs stay as they are. */
export function cancel(record: JobRecord, moment: Moment): Step<boolean> {
  const { live, result } = record;
  if (!live || result?.outcome === 'done') return { record, answer: false };
  return { record: ended(record, live, { outcome: 'cancelled', reason: null }, moment), answer: true };
}

function requeued(job: LiveJob, now: number): LiveJob {
  return { ...job, owner: null, class: costClassOf(job.iterations - job.position), queuedAt: now };
}

function ended(
  record: JobRecord,
  job: LiveJob,
  how: { readonly outcome: Exclude<Outcome, 'done'>; readonly reason: string | null },
  { now, retentionMs }: Moment,
): JobRecord {
  if (record.result?.outcome === 'done') return { live: null, result: record.result };
  const { id, tenant, chain, iterations, createdAt } = job;
  const result: JobResult = {
    ...{ id, tenant, chain, iterations, createdAt, ...how },
    digest: null,
    computed: job.position - 1,
    worker: null,
    startedAt: null,
    finishedAt: now,
    expiresAt: now + retentionMs,
    ...(job.position > 1 ? { point: { position: job.position, digest: job.digest } } : {}),
  };
  return { live: null, result };
}
