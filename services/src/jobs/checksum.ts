import { crc32 } from 'node:zlib';
import { costClassOf } from './cost.ts';
import { jobId } from './id.ts';
import type { ChainPoint, JobFacts, JobResult, LiveJob } from './job.ts';
import type { Moment } from './machine.ts';

/**
 * The check value of a stored point: CRC-32 over the job and the digest at a position of its chain. It finds every single
 * flipped bit and every burst of up to 32. Source: RFC 1952, section 8.
 */
export function checksumOf(
  { id, tenant, chain, iterations }: JobFacts,
  { position, digest }: ChainPoint,
): number {
  return crc32(`${id} ${tenant} ${chain} ${iterations} ${position} ${digest}`);
}

/** Whether what a job is can be believed: its id follows from the rest. */
function hasSoundFacts({ id, tenant, chain, iterations }: JobFacts): boolean {
  return jobId(tenant, chain, iterations) === id;
}

/** A live job whose stored point is damaged, at the beginning of its chain. Null when not even that can be believed. */
export function restarted(job: LiveJob): LiveJob | null {
  if (!hasSoundFacts(job)) return null;
  return {
    ...job,
    position: 1,
    digest: job.chain,
    class: costClassOf(job.iterations - 1),
    attempts: 0,
  };
}

/** The job of a done result whose digest is damaged: it is computed again. Null when not even the job can be believed. */
export function recomputed(result: JobResult, { now }: Pick<Moment, 'now'>): LiveJob | null {
  const { id, tenant, chain, iterations, createdAt } = result;
  const begun = { id, tenant, chain, iterations, position: 1, digest: chain };
  const times = { attempts: 0, createdAt, queuedAt: now };
  return restarted({ ...begun, class: costClassOf(iterations - 1), owner: null, ...times });
}

/** The end of a job of which nothing stored can be believed but its id. */
export function unrecoverable(
  { id, tenant, chain, iterations, createdAt }: JobFacts & { readonly createdAt: number },
  { now, retentionMs }: Moment,
): JobResult {
  return {
    ...{ id, tenant, chain, iterations, createdAt },
    outcome: 'failed',
    digest: null,
    reason: 'what is stored of this job is damaged; submit it again',
    computed: 0,
    worker: null,
    startedAt: null,
    finishedAt: now,
    expiresAt: now + retentionMs,
  };
}
