import { chainOf } from '../jobs/digest.ts';
import { jobFacts } from '../jobs/id.ts';
import { stateOf, type ChainPoint, type Digest, type JobFacts, type JobView } from '../jobs/job.ts';
import type { Completion } from '../jobs/machine.ts';
import type { Checkpoint, JobStore, Submission } from './job-store.ts';

/** Jobs for tests, and what is said of them. Nothing here needs a test runner, so that child processes can use it. */

export const WORKER = 'worker-1';
export const OTHER = 'worker-2';
export const TENANT = 'tenant-a';
export const DAY_MS = 24 * 60 * 60 * 1000;

/** A job by a name, so that tests read well. */
export function job(name: string, iterations = 50_000, tenant = TENANT): JobFacts {
  return jobFacts(tenant, chainOf(name), iterations);
}

/** Jobs by number. */
export function jobs(count: number, iterations = 50_000, tenant = TENANT): JobFacts[] {
  return Array.from({ length: count }, (_, number) => job(`job ${number}`, iterations, tenant));
}

/** A stand-in for the digest at a position: like it, it depends on chain and position alone, and needs no hashing. */
export function digestAt(chain: Digest, position: number): Digest {
  return position === 1 ? chain : chainOf(`${chain}@${position}`);
}

/** What broken hardware would say. */
export function wrongDigest(chain: Digest, position: number): Digest {
  return chainOf(`wrong ${chain}@${position}`);
}

export function pointAt({ chain }: JobFacts, position: number): ChainPoint {
  return { position, digest: digestAt(chain, position) };
}

export function checkpointOf(facts: JobFacts, position: number): Checkpoint {
  return { id: facts.id, ...pointAt(facts, position) };
}

/** The submission of an endpoint that has hashed the job itself. */
export function computed(facts: JobFacts): Submission {
  return { ...facts, computed: { digest: digestAt(facts.chain, facts.iterations) } };
}

/** What a worker says when it has finished the job. */
export function completionOf(facts: JobFacts, worker = WORKER): Completion {
  const { id, tenant, chain, iterations } = facts;
  const work = { computed: iterations - 1, worker, createdAt: 1_000, startedAt: 2_000 };
  return { id, tenant, chain, iterations, digest: digestAt(chain, iterations), ...work };
}

export async function viewOfJob(store: JobStore, { id, tenant }: JobFacts): Promise<JobView | null> {
  return (await store.get(tenant, [id]))[0]!;
}

/** What a reader would say of the job in one word. */
export async function stateOfJob(store: JobStore, facts: JobFacts): Promise<string> {
  const view = await viewOfJob(store, facts);
  return view ? stateOf(view) : 'unknown';
}
