import type { ChainPoint, JobFacts, JobId } from '../../../jobs/job.ts';
import { eachOf, type Context } from './context.ts';
import { bytesOf, hexOf, type ResultDoc } from './documents.ts';
import { soundResults } from './sound.ts';

/** Damaged results of one chain that are passed by. */
const LOOKS = 20;

/**
 * The largest known position on the chain of each job, up to its own. One walk by leaps through the index says which
 * chains are known at all; new ones, and that is most, cost no more.
 */
export async function longestKnown(
  context: Context,
  jobs: readonly JobFacts[],
): Promise<Map<JobId, ChainPoint>> {
  const worth = jobs.filter(({ iterations }) => iterations >= context.reuseIterations);
  const known = await knownChains(context, worth);
  const candidates = worth.filter(({ chain }) => known.has(chain));
  const found = await eachOf(candidates, (facts) => longestOn(context, facts));
  return new Map(candidates.flatMap(({ id }, i) => (found[i] ? [[id, found[i]]] : [])));
}

async function knownChains(context: Context, jobs: readonly JobFacts[]): Promise<Set<string>> {
  if (jobs.length === 0) return new Set();
  const chains = [...new Set(jobs.map(({ chain }) => chain))];
  const most = jobs.reduce((max, { iterations }) => Math.max(max, iterations), 0);
  const found = await context.results.distinct('chain', {
    chain: { $in: chains.map(bytesOf) },
    iterations: { $gte: context.reuseIterations, $lte: most },
  });
  return new Set(found.map(hexOf));
}

async function longestOn(
  context: Context,
  { tenant, chain, iterations }: JobFacts,
): Promise<ChainPoint | null> {
  const { results, reuseIterations, sharedCache, time } = context;
  const filter = {
    chain: bytesOf(chain) as Uint8Array,
    iterations: { $gte: reuseIterations, $lte: iterations },
    outcome: 'done' as const,
    expiresAt: { $gt: new Date(time.expiryNow()) },
    ...(sharedCache ? {} : { tenant }),
  };
  for (let look = 0; look < LOOKS; look++) {
    const found: ResultDoc | null = await results.findOne(filter, { sort: { iterations: -1 } });
    if (!found) return null;
    const [doc] = await soundResults(context, [found]);
    if (doc) return { position: doc.iterations, digest: doc.digest ? hexOf(doc.digest) : chain };
  }
  return null;
}
