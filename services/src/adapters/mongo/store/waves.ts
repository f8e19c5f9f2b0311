import type { Digest, JobId } from '../../../jobs/job.ts';
import type { Submission, Submitted } from '../../../ports/job-store.ts';

/** A batch, cut into what can be done at once. */
export interface Waves {
  /** Indexes into the batch; within a wave no item has to do with another. */
  readonly waves: readonly (readonly number[])[];
  /** Items that say the same as an earlier one: their answer follows from its answer. */
  readonly repeats: ReadonlyMap<number, number>;
}

interface Seen {
  readonly wave: number;
  readonly at: number;
  readonly digest: Digest | null;
}

/**
 * Submissions of a batch count one after the other, but are stored many at once. Almost always that is the same; where
 * an item can change what becomes of a later one (the same job with its digest, a chain that is worth going on from),
 * the later one is in a later wave.
 */
export function wavesOf(batch: readonly Submission[], reuseIterations: number): Waves {
  const waves: number[][] = [];
  const repeats = new Map<number, number>();
  const jobs = new Map<JobId, Seen>();
  const chains = new Map<Digest, Pick<Seen, 'wave' | 'digest'>>();
  batch.forEach(({ id, chain, iterations, computed }, at) => {
    const digest = computed?.digest ?? null;
    const same = jobs.get(id);
    if (same?.digest === digest) return repeats.set(at, same.at);
    const onChain = iterations >= reuseIterations ? chains.get(chain) : undefined;
    const afterChain = onChain ? onChain.wave + Number((onChain.digest === null) !== (digest === null)) : 0;
    const wave = Math.max(same ? same.wave + 1 : 0, afterChain);
    jobs.set(id, { wave, at, digest });
    if (iterations >= reuseIterations) chains.set(chain, { wave, digest });
    (waves[wave] ??= []).push(at);
    return undefined;
  });
  return { waves, repeats };
}

/** What somebody is told who submits again what was just answered so. */
export function againOf(answer: Submitted): Submitted {
  if (answer.kind === 'created') return { kind: 'joined', job: answer.job };
  return answer.kind === 'known' ? { ...answer, fresh: false } : answer;
}
