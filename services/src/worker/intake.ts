import { claimSize, wantedClasses } from '../jobs/claim-policy.ts';
import { COST_CLASSES } from '../jobs/cost.ts';
import type { CostClass, JobId, LiveJob } from '../jobs/job.ts';
import { dispatchTopic } from '../jobs/messages.ts';
import type { Batch, Subscription } from '../ports/bus.ts';
import type { ClaimWish } from '../ports/job-store.ts';
import { Ticker } from '../runtime/ticker.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJobs } from './held-jobs.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** All workers share the dispatched jobs. */
const GROUP = 'workers';

type DispatchTopic = ReturnType<typeof dispatchTopic>;

/**
 * Takes jobs in: from the bus, while the worker wants more of a class, and from the store itself when lanes are free and
 * nothing comes, so that lost messages cost only time.
 */
export class Intake {
  readonly #deps: WorkerDeps;
  readonly #held: HeldJobs;
  readonly #metrics: WorkerMetrics;
  readonly #subscriptions = new Map<CostClass, Subscription>();
  readonly #claiming = new Set<Promise<LiveJob[]>>();
  readonly #poll: Ticker;
  #open = false;

  constructor(deps: WorkerDeps, held: HeldJobs, metrics: WorkerMetrics) {
    this.#deps = deps;
    this.#held = held;
    this.#metrics = metrics;
    this.#poll = new Ticker({
      everyMs: deps.settings.pollMs,
      run: () => this.#askTheStore(),
      onError: (error) => deps.logger.warn('Could not ask the store for jobs', { error }),
    });
  }

  async start(): Promise<void> {
    this.#open = true;
    for (const costClass of COST_CLASSES) {
      const topic = dispatchTopic(costClass);
      const options = { group: GROUP, maxBatch: claimSize(costClass) };
      const subscription = await this.#deps.bus.subscribe(topic, options, (batch) => this.#take(batch));
      this.#subscriptions.set(costClass, subscription);
    }
    this.#poll.start();
    await this.#poll.now();
  }

  /** Claims nothing more. What is being claimed right now is still taken in. */
  async stop(): Promise<void> {
    this.#open = false;
    await this.#poll.stop();
    const subscriptions = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
    await Promise.allSettled(this.#claiming);
  }

  /** Opens and closes the queues by what the worker holds now. Cheap: called whenever that changes. */
  regulate(): void {
    const wanted = this.#wanted();
    for (const [costClass, subscription] of this.#subscriptions) {
      if (wanted.includes(costClass)) subscription.resume();
      else subscription.pause();
    }
  }

  #wanted(): CostClass[] {
    const { hasher, settings } = this.#deps;
    const { freeLanes, capacity } = hasher.load();
    const left = this.#held.iterationsLeft();
    const rate = Math.max(1, capacity);
    const seconds = { 0: left[0] / rate, 1: left[1] / rate, 2: left[2] / rate, 3: left[3] / rate };
    return wantedClasses({ freeLanes, jobs: this.#held.size, seconds }, settings);
  }

  async #take(batch: Batch<DispatchTopic>): Promise<void> {
    const ids = [...new Set(batch.messages.map(({ id }) => id))].filter((id: JobId) => !this.#held.has(id));
    if (ids.length > 0) await this.#claim({ ids });
    await batch.commit();
  }

  async #askTheStore(): Promise<void> {
    for (const costClass of this.#wanted()) {
      if (!this.#open || this.#deps.hasher.load().freeLanes === 0) return;
      await this.#claim({ class: costClass, limit: claimSize(costClass) });
    }
  }

  async #claim(wish: ClaimWish): Promise<void> {
    const { store, settings, logger } = this.#deps;
    const claiming = store.claim(settings.id, wish);
    this.#claiming.add(claiming);
    try {
      const jobs = await claiming;
      if (jobs.length > 0) this.accept(jobs);
    } catch (error) {
      this.#metrics.storeErrors.add(1, { call: 'claim' });
      logger.warn('Could not claim jobs', { error });
      throw error;
    } finally {
      this.#claiming.delete(claiming);
    }
  }

  /** Takes jobs that are this worker's by the store's word. Those that it holds already are left alone. */
  accept(jobs: readonly LiveJob[]): void {
    const { hasher, clock, logger } = this.#deps;
    const now = clock.now();
    const fresh = jobs.filter(({ id }) => !this.#held.has(id));
    for (const job of fresh) {
      this.#held.add(job, now);
      this.#metrics.waited.record(Math.max(0, now - job.queuedAt) / 1_000, { class: job.class });
      if (job.class > 0)
        logger.info('Job claimed', { job: job.id, position: job.position, iterations: job.iterations });
    }
    hasher.add(
      fresh.map(({ id, position, digest, iterations }) => ({
        key: id,
        position,
        digest,
        target: iterations,
      })),
    );
    this.#metrics.claimed.add(fresh.length);
    this.regulate();
  }
}
