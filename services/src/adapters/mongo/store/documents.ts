import { checksumOf } from '../../../jobs/checksum.ts';
import type { CostClass, Digest, JobResult, LiveJob, Outcome } from '../../../jobs/job.ts';
import { MAX_ATTEMPTS } from '../../../jobs/limits.ts';
import { cancel, expire } from '../../../jobs/machine.ts';

/**
 * What stands in the collections, and what the core calls it (DESIGN §3). Nothing is stored that follows from the rest:
 * no nulls, and no digest where it is the chain itself. Digests are 64 bytes, times are dates.
 */

/** The owner of a queued job. Not null: an index answers for a missing value only together with the document. */
export const NOBODY = '';

/** Owners of jobs that are being ended: the result is not there yet, or the job not yet gone. */
export const MARKS = ['cancelled', 'failed'] as const;
export type Mark = (typeof MARKS)[number];

export interface JobDoc {
  readonly _id: string;
  readonly tenant: string;
  readonly chain: Uint8Array;
  readonly iterations: number;
  readonly position: number;
  /** Absent: the chain. */
  readonly digest?: Uint8Array;
  readonly class: CostClass;
  readonly owner: string;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly queuedAt: Date;
  /** The check value of the digest at the position `checksumAt`. Absent: an earlier version has written the document. */
  readonly checksum?: number;
  readonly checksumAt?: number;
  /** Names the one call that claimed it. */
  readonly claim?: number;
  /** Of a marked job: the one call that marked it, when, and who held it until then. */
  readonly mark?: number;
  readonly endedAt?: Date;
  readonly worker?: string;
}

export interface ResultDoc {
  readonly _id: string;
  readonly tenant: string;
  readonly chain: Uint8Array;
  readonly iterations: number;
  readonly outcome: Outcome;
  /** Absent: the chain when done, none otherwise. */
  readonly digest?: Uint8Array;
  /** The check value of the digest. Absent: an earlier version has written the document, or there is no digest. */
  readonly checksum?: number;
  readonly reason?: string;
  readonly computed: number;
  readonly worker?: string;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt: Date;
  readonly expiresAt: Date;
  /** Where a cancelled or failed job stood; absent at the beginning of its chain. */
  readonly position?: number;
  readonly pointDigest?: Uint8Array;
  /** Of a cancelled or failed job: the mark that its live job had. */
  readonly mark?: number;
}

/** One per worker; `_id` is its name. By the database's clock. */
export interface WorkerDoc {
  readonly _id: string;
  readonly leaseUntil: Date;
}

export function bytesOf(digest: Digest): Buffer {
  return Buffer.from(digest, 'hex');
}

/** The collections are opened with `promoteBuffers`: what comes back is a view of the message. */
export function hexOf(bytes: Uint8Array): Digest {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function isMarked({ owner }: Pick<JobDoc, 'owner'>): boolean {
  return (MARKS as readonly string[]).includes(owner);
}

export function jobDoc(job: LiveJob): JobDoc {
  const { id, tenant, iterations, position, owner, attempts, createdAt, queuedAt } = job;
  return {
    _id: id,
    tenant,
    chain: bytesOf(job.chain),
    iterations,
    position,
    ...(job.digest === job.chain ? {} : { digest: bytesOf(job.digest) }),
    class: job.class,
    owner: owner ?? NOBODY,
    attempts,
    createdAt: new Date(createdAt),
    queuedAt: new Date(queuedAt),
    checksum: checksumOf(job, job),
    checksumAt: position,
  };
}

export function liveOf(doc: JobDoc): LiveJob {
  const { _id, tenant, iterations, position, owner, attempts, createdAt, queuedAt } = doc;
  const chain = hexOf(doc.chain);
  return {
    id: _id,
    tenant,
    chain,
    iterations,
    position,
    digest: doc.digest ? hexOf(doc.digest) : chain,
    class: doc.class,
    owner: owner === NOBODY ? null : owner,
    attempts,
    createdAt: createdAt.getTime(),
    queuedAt: queuedAt.getTime(),
  };
}

export function resultDoc(result: JobResult, mark?: number): ResultDoc {
  const { id, tenant, iterations, outcome, digest, reason, computed, worker, startedAt, point } = result;
  const checked = digest === null ? point : { position: iterations, digest };
  return {
    _id: id,
    tenant,
    chain: bytesOf(result.chain),
    iterations,
    outcome,
    ...(digest === null || digest === result.chain ? {} : { digest: bytesOf(digest) }),
    ...(checked === undefined ? {} : { checksum: checksumOf(result, checked) }),
    ...(point === undefined ? {} : { position: point.position, pointDigest: bytesOf(point.digest) }),
    ...(mark === undefined ? {} : { mark }),
    ...(reason === null ? {} : { reason }),
    computed,
    ...(worker === null ? {} : { worker }),
    createdAt: new Date(result.createdAt),
    ...(startedAt === null ? {} : { startedAt: new Date(startedAt) }),
    finishedAt: new Date(result.finishedAt),
    expiresAt: new Date(result.expiresAt),
  };
}

export function resultOf(doc: ResultDoc): JobResult {
  const { _id, tenant, iterations, outcome, computed } = doc;
  const chain = hexOf(doc.chain);
  return {
    id: _id,
    tenant,
    chain,
    iterations,
    outcome,
    digest: outcome === 'done' ? (doc.digest ? hexOf(doc.digest) : chain) : null,
    reason: doc.reason ?? null,
    computed,
    worker: doc.worker ?? null,
    createdAt: doc.createdAt.getTime(),
    startedAt: doc.startedAt?.getTime() ?? null,
    finishedAt: doc.finishedAt.getTime(),
    expiresAt: doc.expiresAt.getTime(),
    ...(doc.position && doc.pointDigest
      ? { point: { position: doc.position, digest: hexOf(doc.pointDigest) } }
      : {}),
  };
}

/**
 * Whether the digest of a live job is another than was written. A worker of an earlier version moves a job and leaves the
 * check value as it was: that is of an earlier position then, and says nothing about the digest that stands there now.
 */
export function isDamagedJob(doc: JobDoc): boolean {
  const { checksum, checksumAt, position } = doc;
  if (checksum === undefined || checksumAt === undefined) return false;
  const job = liveOf(doc);
  if (checksum === checksumOf(job, job)) return false;
  return checksumAt === position || checksum === checksumOf(job, { ...job, position: checksumAt });
}

export function isDamagedResult(doc: ResultDoc): boolean {
  if (doc.checksum === undefined) return false;
  const result = resultOf(doc);
  const { iterations: position, digest } = result;
  const checked = digest === null ? result.point : { position, digest };
  return !checked || doc.checksum !== checksumOf(result, checked);
}

/** What a marked job ends as: everything that its result needs stands in it. */
export function endedOf(doc: JobDoc, retentionMs: number): JobResult {
  const { worker, endedAt = doc.queuedAt } = doc;
  const live = { ...liveOf(doc), owner: worker ?? null };
  const moment = { now: endedAt.getTime(), retentionMs };
  if (doc.owner === 'cancelled') return cancel({ live, result: null }, moment).record.result!;
  const last = { ...live, owner: worker ?? NOBODY, attempts: MAX_ATTEMPTS - 1 };
  return expire({ live: last, result: null }, moment).record.result!;
}
