import { COST_CLASSES } from '../../jobs/cost.ts';
import type { JobResult, LiveJob } from '../../jobs/job.ts';
import { dispatchTopic, type Topic, type Topics } from '../../jobs/messages.ts';
import type { Bus } from '../../ports/bus.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';

export interface AnnouncementsOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  /** Messages that may not have been taken, by topic. */
  readonly lost: Counter;
}

/**
 * Tells the others what has happened. Never fails and need not be waited for: what gets lost here is found by the
 * sweeper, by the workers' own looking, and by looking up jobs that somebody waits for.
 */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
  }

  /** Jobs wait for a worker. */
  queued(jobs: readonly LiveJob[]): void {
    if (jobs.length === 0) return;
    for (const costClass of COST_CLASSES) {
      const messages = jobs
        .filter((job) => job.class === costClass)
        .map((job) => ({ id: job.id, cost: job.iterations - job.position }));
      this.#publish(dispatchTopic(costClass), messages);
    }
  }

  /** Jobs have ended. */
  ended(results: readonly JobResult[]): void {
    this.#publish(
      'results',
      results.map(({ id, outcome, digest }) => ({ id, outcome, digest })),
    );
  }

  /** A job is cancelled: whoever hashes it can stop. */
  cancelled(result: JobResult): void {
    this.#publish('control', [{ kind: 'cancel', id: result.id }]);
    this.ended([result]);
  }

  /** Waits for what is being told just now. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #publish<T extends Topic>(topic: T, messages: readonly Topics[T][]): void {
    if (messages.length === 0) return;
    const { bus, logger, lost } = this.#options;
    const publishing = bus
      .publish(topic, messages)
      .catch((error: unknown) => {
        lost.add(messages.length, { topic });
        logger.warn('Messages could not be published', { topic, messages: messages.length, error });
      })
      .finally(() => this.#underWay.delete(publishing));
    this.#underWay.add(publishing);
  }
}
