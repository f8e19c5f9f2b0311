import { checksumOf } from '../../../jobs/checksum.ts';
import type { JobId, JobRecord, LiveJob } from '../../../jobs/job.ts';
import { checkpoint, release, UNKNOWN, type CheckpointAnswer, type Step } from '../../../jobs/machine.ts';
import type { Checkpoint } from '../../../ports/job-store.ts';
import { BY_ID, findByIds, type Context } from './context.ts';
import { bytesOf, isMarked, liveOf, NOBODY } from './documents.ts';
import { findJobs } from './sound.ts';

/** What a batch makes of the jobs as they were read. */
interface Played<Answer> {
  readonly answers: Answer[];
  readonly before: ReadonlyMap<JobId, LiveJob>;
  readonly after: ReadonlyMap<JobId, LiveJob>;
}

async function play<Answer>(
  context: Context,
  batch: readonly Checkpoint[],
  event: (record: JobRecord, point: Checkpoint) => Step<Answer>,
): Promise<Played<Answer>> {
  const ids = [...new Set(batch.map(({ id }) => id))];
  const docs = [...(await findJobs(context, ids)).values()].filter((doc) => !isMarked(doc));
  const before = new Map(docs.map((doc) => [doc._id, liveOf(doc)]));
  const after = new Map(before);
  const answers = batch.map((point) => {
    const live = after.get(point.id);
    const { record, answer } = event(live ? { live, result: null } : UNKNOWN, point);
    if (record.live) after.set(point.id, record.live);
    return answer;
  });
  return { answers, before, after };
}

/** The larger position wins: the guard is in the write, whatever was read before. */
async function moveOn(context: Context, { before, after }: Played<unknown>): Promise<void> {
  const moved = [...after.values()].filter(({ id, position }) => position > before.get(id)!.position);
  if (moved.length === 0) return;
  const writes = moved.map((job) => ({
    updateOne: {
      filter: { _id: job.id, position: { $lt: job.position } },
      update: { $set: moveOf(job) },
      ...BY_ID,
    },
  }));
  await context.jobs.bulkWrite(writes, { ordered: false });
}

function moveOf(job: LiveJob) {
  const { position, digest } = job;
  return {
    position,
    digest: bytesOf(digest),
    attempts: 0,
    checksum: checksumOf(job, job),
    checksumAt: position,
  };
}

/** A worker that loses a job in the middle of this learns so from its next checkpoint. */
export async function checkpointBatch(
  context: Context,
  worker: string,
  batch: readonly Checkpoint[],
): Promise<CheckpointAnswer[]> {
  const played = await play(context, batch, (record, { position, digest }) =>
    checkpoint(record, worker, { position, digest }),
  );
  await moveOn(context, played);
  return played.answers;
}

/** First the positions, then the jobs: a crash in between leaves them with their worker, further than before. */
export async function releaseBatch(
  context: Context,
  worker: string,
  batch: readonly Checkpoint[],
): Promise<boolean[]> {
  const now = context.time.now();
  const played = await play(context, batch, (record, { position, digest }) =>
    release(record, worker, { position, digest }, now),
  );
  await moveOn(context, played);
  const freed = [...played.after.values()].filter(
    ({ id, owner }) => owner === null && played.before.get(id)!.owner === worker,
  );
  const refused = await requeue(context, freed, { owner: worker });
  return batch.map(({ id }, i) => played.answers[i]! && !refused.has(id));
}

/**
 * Puts jobs back into their queues, where `owner` still holds them: one update for each class. Returns those that were
 * somebody else's by then.
 */
export async function requeue(
  context: Context,
  jobs: readonly LiveJob[],
  { owner, deaths = 0 }: { readonly owner: string; readonly deaths?: number },
): Promise<Set<JobId>> {
  const refused = new Set<JobId>();
  for (const [costClass, group] of Map.groupBy(jobs, (job) => job.class)) {
    const ids = group.map(({ id }) => id);
    const queuedAt = new Date(group[0]!.queuedAt);
    const { matchedCount } = await context.jobs.updateMany(
      { _id: { $in: ids }, owner },
      { $set: { owner: NOBODY, class: costClass, queuedAt }, $inc: { attempts: deaths } },
      BY_ID,
    );
    if (matchedCount === ids.length) continue;
    const there = matchedCount === 0 ? new Map() : await findByIds(context.jobs, ids, { queuedAt });
    for (const id of ids) if (!there.has(id)) refused.add(id);
  }
  return refused;
}
