import type { JobId, LiveJob } from '../../jobs/job.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';
import type { SweepOptions } from '../../ports/job-store.ts';
import { Ticker } from '../../runtime/ticker.ts';
import type { Announcements } from './announcements.ts';
import type { StoreCalls } from './store-calls.ts';
import type { WorkersTable } from './workers-table.ts';

export interface SweeperOptions {
  readonly store: StoreCalls;
  readonly announcements: Announcements;
  readonly workers: WorkersTable;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Jobs acted upon, by what was done. */
  readonly swept: Counter;
  readonly intervalMs: number;
  readonly forgottenAfterMs: number;
}

/** The most jobs of a kind in one sweep; when there may be more, the next follows at once, up to so many times. */
const LIMIT = 1_000;
const MAX_ROUNDS = 20;
/** Dead workers are looked for this often; and for some time after one was found, the store is asked as often. */
const LOOK_MS = 500;
/** The lease of a worker that is found dead ends within this time: it may have been renewed after the last alive message. */
const HASTE_MS = 5_000;
/** Jobs remembered as published again. */
const MAX_REMEMBERED = 100_000;

/**
 * Compares what should be with what is: jobs of dead workers go back to the queue, and jobs that nobody may know of are
 * published again. Every endpoint does so; doing it twice harms nothing.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #sweeps: Ticker;
  readonly #looks: Ticker;
  readonly #republished = new Map<JobId, number>();
  #hasteUntil = -Infinity;
  #clocksDisagree = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    const onError = (error: Error): void => options.logger.warn('A sweep failed', { error });
    this.#sweeps = new Ticker({ everyMs: () => this.#everyMs(), run: () => this.#sweep(), onError });
    this.#looks = new Ticker({ everyMs: LOOK_MS, run: () => this.#look(), onError });
  }

  start(): void {
    this.#sweeps.start();
    this.#looks.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#sweeps.stop(), this.#looks.stop()]);
  }

  #everyMs(): number {
    const { clock, intervalMs } = this.#options;
    return clock.monotonic() < this.#hasteUntil ? Math.min(LOOK_MS, intervalMs) : intervalMs;
  }

  /** A worker was found dead: its lease ends about now. */
  async #look(): Promise<void> {
    const dead = this.#options.workers.newlyDead();
    if (dead.length === 0) return;
    this.#options.logger.warn('Workers are silent and count as dead', { workers: dead });
    this.#hasteUntil = this.#options.clock.monotonic() + HASTE_MS;
    await this.#sweeps.now();
  }

  /** Says once when clocks begin to disagree, and once when they agree again. */
  #checkClocks(): void {
    const { store, logger } = this.#options;
    const reason = store.clockTrouble();
    if (reason !== null && !this.#clocksDisagree) logger.warn('Clocks disagree', { reason });
    if (reason === null && this.#clocksDisagree) logger.info('Clocks agree again');
    this.#clocksDisagree = reason !== null;
  }

  async #sweep(): Promise<void> {
    this.#checkClocks();
    const { store, announcements, swept, logger } = this.#options;
    const options: SweepOptions = { forgottenAfterMs: this.#options.forgottenAfterMs, limit: LIMIT };
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { requeued, failed, forgotten, expired } = await store.call('sweep', (jobs) =>
        jobs.sweep(options),
      );
      const again = this.#notLately(forgotten);
      announcements.queued([...requeued, ...again]);
      announcements.ended(failed);
      const done = { requeued: requeued.length, failed: failed.length, forgotten: again.length, expired };
      for (const [what, count] of Object.entries(done)) if (count > 0) swept.add(count, { what });
      if (requeued.length > 0)
        logger.info('Jobs of dead workers are queued again', { jobs: requeued.length });
      for (const { id, reason } of failed) logger.error('A job is given up', { job: id, reason });
      if (requeued.length < LIMIT && failed.length < LIMIT && expired < LIMIT) return;
    }
  }

  /** The store names a job as long as it is queued; the bus shall not be filled with it. */
  #notLately(jobs: readonly LiveJob[]): LiveJob[] {
    const now = this.#options.clock.monotonic();
    const since = now - this.#options.forgottenAfterMs;
    for (const [id, at] of this.#republished) {
      if (at > since && this.#republished.size <= MAX_REMEMBERED) break;
      this.#republished.delete(id);
    }
    const again = jobs.filter(({ id }) => !this.#republished.has(id));
    for (const { id } of again) this.#republished.set(id, now);
    return again;
  }
}
