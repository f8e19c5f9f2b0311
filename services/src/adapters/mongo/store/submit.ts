import type { ChainPoint, Digest, JobFacts, JobId, JobResult, LiveJob } from '../../../jobs/job.ts';
import { bring as bringTo, further, submit, UNKNOWN, type Moment } from '../../../jobs/machine.ts';
import type { Submission, Submitted } from '../../../ports/job-store.ts';
import { BY_ID, eachOf, insertMissing, momentOf, oneBatch, untilSettled, type Context } from './context.ts';
import { isMarked, jobDoc, liveOf, MARKS, resultOf, type JobDoc } from './documents.ts';
import { longestKnown } from './reuse.ts';
import { dropLive, settle, useAgain } from './settle.ts';
import { findJobs, findResults } from './sound.ts';
import { againOf, wavesOf } from './waves.ts';

type Answers = Map<JobId, Submitted>;

/** Every submission is durable, or known, when this resolves. */
export async function submitBatch(context: Context, batch: readonly Submission[]): Promise<Submitted[]> {
  const answers = new Array<Submitted>(batch.length);
  const { waves, repeats } = wavesOf(batch, context.reuseIterations);
  for (const wave of waves) {
    const submissions = wave.map((at) => batch[at]!);
    const found = await submitWave(context, submissions);
    for (const at of wave) answers[at] = found.get(batch[at]!.id)!;
  }
  for (const [at, first] of repeats) answers[at] = againOf(answers[first]!);
  return answers;
}

async function submitWave(context: Context, wave: readonly Submission[]): Promise<Answers> {
  const brought: Brought[] = [];
  const plain: JobFacts[] = [];
  for (const { computed, ...facts } of wave) {
    if (computed) brought.push({ facts, digest: computed.digest, computed: facts.iterations - 1 });
    else plain.push(facts);
  }
  const [known, created] = await Promise.all([bring(context, brought), createJobs(context, plain)]);
  return new Map([...known, ...created]);
}

interface Brought {
  readonly facts: JobFacts;
  readonly digest: Digest;
  readonly computed: number;
}

/** Submissions whose digest is known: straight into the results. */
async function bring(context: Context, items: readonly Brought[]): Promise<Answers> {
  const answers: Answers = new Map();
  if (items.length === 0) return answers;
  const moment = momentOf(context);
  const settled = await settle(
    context,
    items.map((item) => doneOf(item, moment)),
  );
  const known: JobResult[] = [];
  for (const { facts, digest } of items) {
    const { answer, result } = settled.get(facts.id)!;
    if (result.digest !== digest) answers.set(facts.id, { kind: 'contradiction', result });
    else if (answer === 'stored') answers.set(facts.id, { kind: 'known', result, fresh: true });
    else known.push(result);
  }
  for (const result of await useAgain(context, known))
    answers.set(result.id, { kind: 'known', result, fresh: false });
  await endLive(
    context,
    [...answers].flatMap(([id, { kind }]) => (kind === 'known' ? [id] : [])),
  );
  return answers;
}

function doneOf({ facts, digest, computed }: Brought, moment: Moment): JobResult {
  const done = { ...facts, digest, computed, worker: null, createdAt: moment.now, startedAt: null };
  return bringTo(UNKNOWN, done, moment).record.result!;
}

/** A look that almost always finds nothing is cheaper than a delete that does. */
async function endLive(context: Context, ids: readonly JobId[]): Promise<void> {
  const options = { projection: { _id: 1 }, ...BY_ID, ...oneBatch(ids.length) };
  const live = await context.jobs.find({ _id: { $in: ids } }, options).toArray();
  await dropLive(
    context,
    live.map(({ _id }) => _id),
  );
}

/** Submissions that somebody has to compute, unless it is known. */
async function createJobs(context: Context, plain: readonly JobFacts[]): Promise<Answers> {
  const answers: Answers = new Map();
  await untilSettled(plain, async (jobs) => {
    const left = await answerKnown(context, jobs, answers);
    const unknown = jobs.filter(({ id }) => !answers.has(id));
    const points = await longestKnown(context, unknown);
    const full = unknown.filter(({ id, iterations }) => points.get(id)?.position === iterations);
    for (const [id, point] of left) points.set(id, further(points.get(id) ?? null, point)!);
    await answerFull(context, full, { points, answers });
    const fresh = await insertJobs(context, missing(unknown, answers), { points, answers });
    // A job may have ended between the look and the insert: then it must not run again.
    await answerKnown(context, fresh, answers);
    const ended = fresh.filter(({ id }) => answers.get(id)!.kind === 'known').map(({ id }) => id);
    await dropLive(context, ended);
    return missing(jobs, answers);
  });
  return answers;
}

function missing(jobs: readonly JobFacts[], answers: Answers): JobFacts[] {
  return jobs.filter(({ id }) => !answers.has(id));
}

/** Jobs that are done. Returns where others stood when they were cancelled, or failed. */
async function answerKnown(
  context: Context,
  jobs: readonly JobFacts[],
  answers: Answers,
): Promise<Map<JobId, ChainPoint>> {
  const expiresAt = { $gt: new Date(context.time.expiryNow()) };
  const ids = jobs.map(({ id }) => id);
  const found = [...(await findResults(context, ids, { expiresAt })).values()].map(resultOf);
  const done = found.filter(({ outcome }) => outcome === 'done');
  for (const result of await useAgain(context, done))
    answers.set(result.id, { kind: 'known', result, fresh: false });
  return new Map(found.flatMap(({ id, point }) => (point ? [[id, point]] : [])));
}

interface Found {
  readonly points: ReadonlyMap<JobId, ChainPoint>;
  readonly answers: Answers;
}

/** Another tenant's job of equal length is the answer; but who has the job in hand already keeps it. */
async function answerFull(
  context: Context,
  jobs: readonly JobFacts[],
  { points, answers }: Found,
): Promise<void> {
  const live = await findJobs(
    context,
    jobs.map(({ id }) => id),
  );
  const items: Brought[] = [];
  for (const facts of jobs) {
    const doc = live.get(facts.id);
    if (doc && !isMarked(doc)) answers.set(facts.id, { kind: 'joined', job: liveOf(doc) });
    else items.push({ facts, digest: points.get(facts.id)!.digest, computed: 0 });
  }
  for (const [id, answer] of await bring(context, items)) answers.set(id, againOf(answer));
}

/** Returns the jobs that are new; those that are joined have their answer, those that went meanwhile have none. */
async function insertJobs(
  context: Context,
  facts: readonly JobFacts[],
  { points, answers }: Found,
): Promise<JobFacts[]> {
  const moment = momentOf(context);
  const jobs = facts.map((each) => submit(UNKNOWN, each, points.get(each.id) ?? null, moment).record.live!);
  const taken = await insertMissing(context.jobs, jobs.map(jobDoc));
  const found = await findJobs(context, [...taken]);
  const marked = facts.filter(({ id }) => isMarkedDoc(found.get(id)));
  const revived = await revive(
    context,
    marked.map((each) => {
      const from = further(points.get(each.id) ?? null, liveOf(found.get(each.id)!));
      return submit(UNKNOWN, each, from && pointOf(from), moment).record.live!;
    }),
  );
  const fresh: JobFacts[] = [];
  jobs.forEach((job, i) => {
    const doc = found.get(job.id);
    if (!taken.has(job.id) || revived.has(job.id)) {
      answers.set(job.id, { kind: 'created', job: revived.get(job.id) ?? job });
      fresh.push(facts[i]!);
    } else if (doc && !isMarked(doc)) answers.set(job.id, { kind: 'joined', job: liveOf(doc) });
  });
  return fresh;
}

function pointOf({ position, digest }: ChainPoint): ChainPoint {
  return { position, digest };
}

function isMarkedDoc(doc: JobDoc | undefined): boolean {
  return doc !== undefined && isMarked(doc);
}

/** Jobs that are being cancelled or given up are queued again, where they stand: whoever is ending them finds no mark any more. */
async function revive(context: Context, jobs: readonly LiveJob[]): Promise<Map<JobId, LiveJob>> {
  const replaced = await eachOf(jobs, async (job) => {
    const filter = { _id: job.id, owner: { $in: MARKS as unknown as string[] } };
    const { matchedCount } = await context.jobs.replaceOne(filter, jobDoc(job), BY_ID);
    return matchedCount === 1;
  });
  return new Map(jobs.filter((_, i) => replaced[i]).map((job) => [job.id, job]));
}
