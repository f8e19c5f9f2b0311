import { claimSize, wantedClasses } from '../jobs/claim-policy.ts';
import { COST_CLASSES } from '../jobs/cost.ts';
import type { CostClass, JobId, LiveJob } from '../jobs/job.ts';
import { dispatchTopic } from '../jobs/messages.ts';
import type { Batch } from '../ports/bus.ts';
import type { HashTask } from '../ports/hasher.ts';
import { StoreUnavailableError, type ClaimWish } from '../ports/job-store.ts';
import { Listener } from '../runtime/listener.ts';
import { Ticker } from '../runtime/ticker.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJobs } from './held-jobs.ts';
import { PollPace } from './poll-pace.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** All workers share the dispatched jobs. */
const GROUP = 'workers';

/**
 * Without the bus a worker comes for more as often as it needs, and holds only this share of what it would hold
 * otherwise: nobody could ask it to give back what it holds too much of.
 */
const HOLD_SHARE_WITHOUT_BUS = 0.2;

type DispatchTopic = ReturnType<typeof dispatchTopic>;

/** What the worker says of itself whenever jobs could be taken in. */
export interface IntakeRules {
  /** Whether it may claim now: it has a valid lease, and its results get written. */
  readonly mayClaim: () => boolean;
  /** Nobody knows any more which jobs are this worker's. */
  readonly doubt: () => void;
  /** Gives jobs back that were claimed and not taken in. Never rejects. */
  readonly giveBack: (jobs: readonly LiveJob[]) => Promise<void>;
}

/**
 * Takes jobs in: from the bus, while the worker wants more of a class, and from the store itself while lanes are free,
 * or the bus is away. So lost messages cost only time.
 */
export class Intake {
  readonly #deps: WorkerDeps;
  readonly #held: HeldJobs;
  readonly #metrics: WorkerMetrics;
  readonly #rules: IntakeRules;
  readonly #listeners: ReadonlyMap<CostClass, Listener<DispatchTopic>>;
  readonly #claiming = new Set<Promise<LiveJob[]>>();
  readonly #pace: PollPace;
  readonly #poll: Ticker;
  #open = false;

  constructor(deps: WorkerDeps, held: HeldJobs, metrics: WorkerMetrics, rules: IntakeRules) {
    this.#deps = deps;
    this.#rules = rules;
    this.#held = held;
    this.#metrics = metrics;
    const { bus, logger, settings } = deps;
    this.#listeners = new Map(
      COST_CLASSES.map((costClass) => {
        const options = { group: GROUP, maxBatch: claimSize(costClass) };
        const handler = (batch: Batch<DispatchTopic>): Promise<void> => this.#take(batch);
        return [
          costClass,
          new Listener({ bus, logger, topic: dispatchTopic(costClass), ...options, handler }),
        ];
      }),
    );
    this.#pace = new PollPace(settings.pollMs);
    this.#poll = new Ticker({
      everyMs: () => this.#pace.nextMs(this.#busIsAway()),
      run: () => this.#askTheStore(),
      onError: (error) => logger.warn('Could not ask the store for jobs', { error }),
    });
  }

  /** Takes jobs in from now on. What the bus brings may begin later. */
  start(): void {
    this.#open = true;
    for (const listener of this.#listeners.values()) void listener.start();
    this.#poll.start();
    void this.#poll.now();
  }

  /** Claims nothing more. Resolves when what is being claimed right now has been taken in. */
  async stop(): Promise<void> {
    this.#open = false;
    await this.#poll.stop();
    await Promise.allSettled(this.#claiming);
  }

  /** Leaves the queues, after `stop`. */
  async close(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
  }

  /** Opens and closes the queues by what the worker holds now. Cheap: called whenever that changes. */
  regulate(): void {
    const wanted = this.#rules.mayClaim() ? this.#wanted(1) : [];
    for (const [costClass, listener] of this.#listeners) {
      if (wanted.includes(costClass)) listener.resume();
      else listener.pause();
    }
  }

  #busIsAway(): boolean {
    return this.#deps.bus.trouble() !== null;
  }

  /** The classes to claim from, by this share of what may be held. */
  #wanted(share: number): CostClass[] {
    const { hasher, settings } = this.#deps;
    const { freeLanes, capacity } = hasher.load();
    const left = this.#held.iterationsLeft();
    const rate = Math.max(1, capacity);
    const seconds = { 0: left[0] / rate, 1: left[1] / rate, 2: left[2] / rate, 3: left[3] / rate };
    const { holdSeconds, maxJobs } = settings;
    const limits = { holdSeconds: holdSeconds * share, maxJobs };
    return wantedClasses({ freeLanes, jobs: this.#held.size, seconds }, limits);
  }

  async #take(batch: Batch<DispatchTopic>): Promise<void> {
    // Not committed: another worker gets it.
    if (!this.#open) return;
    // The batch comes again.
    if (!this.#rules.mayClaim()) throw new StoreUnavailableError('Nothing is claimed without a valid lease');
    const ids = [...new Set(batch.messages.map(({ id }) => id))].filter((id: JobId) => !this.#held.has(id));
    if (ids.length > 0) await this.#claim({ ids });
    await batch.commit();
  }

  /** Again and again while there is more than can be claimed at once. */
  async #askTheStore(): Promise<void> {
    let more = true;
    while (more) {
      more = false;
      for (const costClass of this.#wanted(HOLD_SHARE_WITHOUT_BUS)) {
        if (!this.#open || this.#isContent() || !this.#rules.mayClaim()) return;
        const limit = claimSize(costClass);
        const found = await this.#claim({ class: costClass, limit });
        this.#pace.polled(found);
        more ||= found === limit;
      }
    }
  }

  /** With a bus, lanes that have work get more from there. */
  #isContent(): boolean {
    return this.#deps.hasher.load().freeLanes === 0 && !this.#busIsAway();
  }

  /** How many jobs were claimed and taken in. */
  async #claim(wish: ClaimWish): Promise<number> {
    const { store, settings } = this.#deps;
    const claiming = store.claim(settings.id, wish);
    this.#claiming.add(claiming);
    try {
      const jobs = await claiming;
      return jobs.length > 0 ? this.#takeClaimed(jobs) : 0;
    } catch (error) {
      this.#metrics.storeErrors.add(1, { call: 'claim' });
      throw error;
    } finally {
      this.#claiming.delete(claiming);
    }
  }

  /** A claim whose answer comes after the lease has ended is not relied upon: others may have those jobs by now. */
  #takeClaimed(jobs: readonly LiveJob[]): number {
    if (this.#rules.mayClaim()) return this.accept(jobs);
    this.#rules.doubt();
    void this.#rules.giveBack(jobs.filter(({ id }) => !this.#held.has(id)));
    return 0;
  }

  /**
   * Takes jobs that are this worker's by the store's word. Those that it holds already are left alone, those that the
   * hasher does not take are given back. Returns how many are taken.
   */
  accept(jobs: readonly LiveJob[]): number {
    const { store, clock, logger } = this.#deps;
    const now = { monotonic: clock.monotonic(), store: store.now() };
    const distinct = new Map(jobs.map((job) => [job.id, job]));
    const fresh = this.#startHashing([...distinct.values()].filter(({ id }) => !this.#held.has(id)));
    for (const job of fresh) {
      this.#held.add(job, now);
      this.#metrics.waited.record(Math.max(0, now.store - job.queuedAt) / 1_000, { class: job.class });
      if (job.class > 0)
        logger.info('Job claimed', { job: job.id, position: job.position, iterations: job.iterations });
    }
    this.#metrics.claimed.add(fresh.length);
    this.regulate();
    return fresh.length;
  }

  /** Returns the jobs that are hashed from now on. One that the hasher refuses does not keep others from it. */
  #startHashing(jobs: readonly LiveJob[]): readonly LiveJob[] {
    const { hasher, logger } = this.#deps;
    try {
      hasher.add(jobs.map(taskOf));
      return jobs;
    } catch {
      // Which of them it is shows one by one.
    }
    const refused: LiveJob[] = [];
    const taken = jobs.filter((job) => {
      try {
        hasher.add([taskOf(job)]);
        return true;
      } catch (error) {
        logger.error('A job cannot be hashed, and is given back', { job: job.id, error });
        refused.push(job);
        return false;
      }
    });
    void this.#rules.giveBack(refused);
    return taken;
  }
}

function taskOf({ id, position, digest, iterations }: LiveJob): HashTask {
  return { key: id, position, digest, target: iterations };
}
