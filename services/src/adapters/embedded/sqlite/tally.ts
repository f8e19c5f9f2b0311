import { COST_CLASSES } from '../../../jobs/cost.ts';
import type { CostClass, LiveJob } from '../../../jobs/job.ts';

const WORD = 2 ** 32;

/** Iterations in all: `high · 2^32 + low`, so that sums beyond 2^53 stay exact and can be taken back. */
interface Count {
  jobs: number;
  high: number;
  low: number;
}

interface Counts {
  readonly queued: readonly [Count, Count, Count, Count];
  running: number;
}

/** What waits and what runs. Counted along, because counting afresh would read every queued job. */
export class Tally {
  #now = nothing();
  #kept = nothing();

  enter(job: LiveJob): void {
    this.#move(job.owner, job.class, job.iterations - job.position, 1);
  }

  leave(job: LiveJob): void {
    this.#move(job.owner, job.class, job.iterations - job.position, -1);
  }

  /** Like `leave`, of a job of which only this is known. */
  drop(owner: string | null, costClass: CostClass, iterationsLeft: number): void {
    this.#move(owner, costClass, iterationsLeft, -1);
  }

  /** A queued job is held now. */
  take(costClass: CostClass, iterationsLeft: number): void {
    this.#move(null, costClass, iterationsLeft, -1);
    this.#now.running++;
  }

  #move(owner: string | null, costClass: CostClass, iterationsLeft: number, sign: 1 | -1): void {
    if (owner !== null) {
      this.#now.running += sign;
      return;
    }
    const count = this.#now.queued[costClass];
    count.jobs += sign;
    count.high += sign * Math.floor(iterationsLeft / WORD);
    count.low += sign * (iterationsLeft % WORD);
    if (count.low >= WORD || count.low < 0) {
      const carry = Math.floor(count.low / WORD);
      count.high += carry;
      count.low -= carry * WORD;
    }
  }

  /** Begins with what a count of the queued has found: jobs and the two words of their iterations, by class. */
  load(queued: readonly (readonly [number, number, number])[], running: number): void {
    for (const each of COST_CLASSES) {
      const [jobs, high, low] = queued[each]!;
      const carry = Math.floor(low / WORD);
      Object.assign(this.#now.queued[each], { jobs, high: high + carry, low: low - carry * WORD });
    }
    this.#now.running = running;
    this.commit();
  }

  get running(): number {
    return this.#now.running;
  }

  /** Jobs of any kind. */
  get live(): number {
    return this.#now.queued.reduce((sum, { jobs }) => sum + jobs, this.#now.running);
  }

  queued(costClass: CostClass): { readonly jobs: number; readonly iterations: number } {
    const { jobs, high, low } = this.#now.queued[costClass];
    return { jobs, iterations: high * WORD + low };
  }

  commit(): void {
    copy(this.#now, this.#kept);
  }

  rollback(): void {
    copy(this.#kept, this.#now);
  }
}

function nothing(): Counts {
  const none = (): Count => ({ jobs: 0, high: 0, low: 0 });
  return { queued: [none(), none(), none(), none()], running: 0 };
}

function copy(from: Counts, to: Counts): void {
  for (const each of COST_CLASSES) Object.assign(to.queued[each], from.queued[each]);
  to.running = from.running;
}
