import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest, JobFacts } from '../../jobs/job.ts';
import type { Clock } from '../../ports/clock.ts';
import type { InlineHasher } from '../../ports/hasher.ts';
import type { Submission } from '../../ports/job-store.ts';

/** The event loop is never held for longer than about this. */
const SLICE_MS = 8;
/** What is believed until it is measured: iterations per millisecond of the slowest backend. */
const FIRST_RATE = 500;
/** How much a new measurement changes the belief. */
const WEIGHT = 0.3;
/** Shorter calls say little about the rate. */
const MEASURABLE_MS = 0.5;

export interface InlineHashingOptions {
  readonly hasher: InlineHasher;
  readonly clock: Clock;
  /** Jobs of at most this many iterations are hashed here. */
  readonly maxIterations: number;
}

/** Hashes short jobs on this thread, in slices that leave the event loop to others. */
export class InlineHashing {
  readonly #options: InlineHashingOptions;
  #rate = FIRST_RATE;

  constructor(options: InlineHashingOptions) {
    this.#options = options;
  }

  /** Whether a job is short enough. */
  takes(facts: JobFacts): boolean {
    return facts.iterations <= this.#options.maxIterations;
  }

  /** The jobs as submissions; those that are short enough with their digest. */
  async compute(jobs: readonly JobFacts[]): Promise<Submission[]> {
    const submissions: Submission[] = [];
    const short: number[] = [];
    for (const job of jobs) {
      if (job.iterations === 1) submissions.push(withDigest(job, job.chain));
      else {
        if (this.takes(job)) short.push(submissions.length);
        submissions.push(job);
      }
    }
    let from = 0;
    while (from < short.length) {
      if (from > 0) await nextTurn();
      const to = this.#slice(jobs, short, from);
      this.#hash(submissions, short.slice(from, to));
      from = to;
    }
    return submissions;
  }

  /** Where a slice that begins at `from` ends: as many jobs as fit, but one at least. */
  #slice(jobs: readonly JobFacts[], short: readonly number[], from: number): number {
    let left = this.#rate * SLICE_MS;
    let to = from;
    while (to < short.length) {
      left -= jobs[short[to]!]!.iterations - 1;
      if (left < 0 && to > from) break;
      to++;
    }
    return to;
  }

  #hash(submissions: Submission[], places: readonly number[]): void {
    const { hasher, clock } = this.#options;
    const chains = places.map((place) => submissions[place]!.chain);
    const steps = places.map((place) => submissions[place]!.iterations - 1);
    const startedAt = clock.monotonic();
    const digests = hasher.iterate(chains, steps);
    const tookMs = clock.monotonic() - startedAt;
    if (tookMs >= MEASURABLE_MS) {
      const rate = steps.reduce((sum, step) => sum + step, 0) / tookMs;
      this.#rate += WEIGHT * (rate - this.#rate);
    }
    places.forEach((place, i) => {
      submissions[place] = withDigest(submissions[place]!, digests[i]!);
    });
  }
}

function withDigest({ id, tenant, chain, iterations }: JobFacts, digest: Digest): Submission {
  return { id, tenant, chain, iterations, computed: { digest } };
}
