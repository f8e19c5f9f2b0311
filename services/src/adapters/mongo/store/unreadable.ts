import { COST_CLASSES } from '../../../jobs/cost.ts';
import { DIGEST_BYTES } from '../../../jobs/digest.ts';
import type { JobDoc, ResultDoc } from './documents.ts';
import type { StatsDoc } from './stats.ts';

/**
 * What a document must be to be read. Whoever else writes into the database, or what a disk does to it, may leave
 * something else there. Each function names the first field that is wrong; null where all is well.
 */

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isDate: Check = (value) => value instanceof Date && !Number.isNaN(value.getTime());
const isDigest: Check = (value) => value instanceof Uint8Array && value.byteLength === DIGEST_BYTES;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isPosition: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1;
const isClass: Check = (value) => (COST_CLASSES as readonly unknown[]).includes(value);
const isOutcome: Check = (value) => value === 'done' || value === 'cancelled' || value === 'failed';

/** By the index on them alone: what is wrong here is not found by any other query. */
const QUEUED: Fields = [
  ['owner', isText],
  ['class', isClass],
  ['queuedAt', isDate],
];

type Fields = readonly (readonly [name: string, check: Check])[];

const JOB: Fields = [
  ...[['_id', isText] as const, ['tenant', isText] as const, ['chain', isDigest] as const],
  ...[['iterations', isPosition] as const, ['position', isPosition] as const, ['attempts', isCount] as const],
  ['createdAt', isDate],
  ...QUEUED,
];
const JOB_MAY_HAVE: Fields = [
  ['digest', isDigest],
  ['endedAt', isDate],
  ['worker', isText],
];

const RESULT: Fields = [
  ...[['_id', isText] as const, ['tenant', isText] as const, ['chain', isDigest] as const],
  ...[['iterations', isPosition] as const, ['outcome', isOutcome] as const, ['computed', isCount] as const],
  ...[['createdAt', isDate] as const, ['finishedAt', isDate] as const, ['expiresAt', isDate] as const],
];
const RESULT_MAY_HAVE: Fields = [
  ['digest', isDigest],
  ['reason', isText],
  ['worker', isText],
  ['startedAt', isDate],
];

const STATS: Fields = [['nextAt', isDate]];
const STATS_MAY_HAVE: Fields = [
  ['queued', Array.isArray],
  ['running', isCount],
  ['countedAt', isDate],
  ['tookMs', isCount],
];

function wrongField(doc: object, must: Fields, may: Fields): string | null {
  const values = doc as Readonly<Record<string, unknown>>;
  const wrong =
    must.find(([name, check]) => !check(values[name])) ??
    may.find(([name, check]) => values[name] !== undefined && !check(values[name]));
  return wrong?.[0] ?? null;
}

export function wrongInJob(doc: JobDoc): string | null {
  const wrong = wrongField(doc, JOB, JOB_MAY_HAVE);
  return wrong ?? (doc.position > doc.iterations ? 'position' : null);
}

export function wrongInResult(doc: ResultDoc): string | null {
  return wrongField(doc, RESULT, RESULT_MAY_HAVE);
}

export function wrongInStats(doc: StatsDoc): string | null {
  return wrongField(doc, STATS, STATS_MAY_HAVE);
}

/** Of a job, only what leads to it. */
export function wrongInQueue(doc: Pick<JobDoc, 'owner' | 'class' | 'queuedAt'>): string | null {
  return wrongField(doc, QUEUED, []);
}
