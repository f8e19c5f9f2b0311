import { costClassOf, COST_CLASSES } from '../../../jobs/cost.ts';
import type { Digest, JobFacts, JobResult, JobView, LiveJob } from '../../../jobs/job.ts';
import type * as port from '../../../ports/job-store.ts';
import type { CellReader } from './cells.ts';
import { idOf, placeOf, writeCursor, type Place } from '../../../ports/job-store-cursor.ts';

/** The thread sends only what this side cannot tell by itself. */
export function readSubmitted(
  reader: CellReader,
  submission: port.Submission,
  { now, retentionMs }: { readonly now: number; readonly retentionMs: number },
): port.Submitted {
  switch (reader.text()) {
    case 'created':
      return { kind: 'created', job: created(submission, 1, submission.chain, now) };
    case 'started':
      return { kind: 'created', job: created(submission, reader.number(), reader.text(), now) };
    case 'brought':
      return { kind: 'known', result: brought(submission, now, now + retentionMs), fresh: true };
    case 'joined':
      return { kind: 'joined', job: reader.live() };
    case 'known':
      return { kind: 'known', result: reader.result(), fresh: false };
    default:
      return { kind: 'contradiction', result: reader.result() };
  }
}

// One object each, field by field: a batch has ten thousand of them, and spreading makes several on the way.

function created(
  { id, tenant, chain, iterations }: JobFacts,
  position: number,
  digest: Digest,
  now: number,
): LiveJob {
  return {
    id,
    tenant,
    chain,
    iterations,
    position,
    digest,
    class: costClassOf(iterations - position),
    owner: null,
    attempts: 0,
    createdAt: now,
    queuedAt: now,
  };
}

function brought(submission: port.Submission, now: number, expiresAt: number): JobResult {
  const { id, tenant, chain, iterations, computed } = submission;
  return {
    id,
    tenant,
    chain,
    iterations,
    outcome: 'done',
    digest: computed!.digest,
    reason: null,
    computed: iterations - 1,
    worker: null,
    createdAt: now,
    startedAt: null,
    finishedAt: now,
    expiresAt,
  };
}

/** @param since when the list of all states began; null: a list of one state */
export function readPage(reader: CellReader, limit: number, since: number | null): port.Page {
  const items: JobView[] = [];
  const places: Place[] = [];
  while (!reader.done) {
    const kind = reader.text();
    if (kind === 'cut') return { items, next: writeCursor({ part: 'live', id: reader.text(), since }) };
    const view: JobView =
      kind === 'live' ? { kind, job: reader.live() } : { kind: 'result', result: reader.result() };
    items.push(view);
    places.push(kind === 'ended' ? { part: 'live', id: idOf(view), since } : placeOf(view, since));
  }
  if (items.length <= limit) return { items, next: null };
  return { items: items.slice(0, limit), next: writeCursor(places[limit - 1]!) };
}

export function readSweep(reader: CellReader): port.Sweep {
  const [requeued, failed, forgotten] = [reader.number(), reader.number(), reader.number()];
  const times = <T>(count: number, read: () => T): T[] => Array.from({ length: count }, read);
  return {
    requeued: times(requeued, () => reader.live()),
    failed: times(failed, () => reader.result()),
    forgotten: times(forgotten, () => reader.live()),
    expired: reader.number(),
  };
}

export function readBacklog(reader: CellReader): port.Backlog {
  const running = reader.number();
  const queued = COST_CLASSES.map((each) => ({
    class: each,
    jobs: reader.number(),
    iterations: reader.number(),
    oldestQueuedAt: reader.cell() as number | null,
  }));
  return { queued, running };
}
