import { COST_CLASSES } from '../../jobs/cost.ts';
import type { JobResult, LiveJob } from '../../jobs/job.ts';
import { dispatchTopic } from '../../jobs/messages.ts';
import { Teller, type TellerOptions } from '../../runtime/teller.ts';

/**
 * Tells the others what has happened. Never fails and need not be waited for: what gets lost here is found by the
 * sweeper, by the workers' own looking, and by looking up jobs that somebody waits for.
 */
export class Announcements {
  readonly #teller: Teller;

  constructor(options: TellerOptions) {
    this.#teller = new Teller(options);
  }

  /** Jobs wait for a worker. */
  queued(jobs: readonly LiveJob[]): void {
    if (jobs.length === 0) return;
    for (const costClass of COST_CLASSES) {
      const messages = jobs
        .filter((job) => job.class === costClass)
        .map((job) => ({ id: job.id, cost: job.iterations - job.position }));
      this.#teller.tell(dispatchTopic(costClass), messages);
    }
  }

  /** Jobs have ended. */
  ended(results: readonly JobResult[]): void {
    this.#teller.tell(
      'results',
      results.map(({ id, outcome, digest }) => ({ id, outcome, digest })),
    );
  }

  /** A job is cancelled: whoever hashes it can stop. */
  cancelled(result: JobResult): void {
    this.#teller.tell('control', [{ kind: 'cancel', id: result.id }]);
    this.ended([result]);
  }

  /** Waits for what is being told just now. */
  settled(): Promise<void> {
    return this.#teller.settled();
  }
}
