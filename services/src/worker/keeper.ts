import type { JobId, LiveJob } from '../jobs/job.ts';
import type { Checkpoint } from '../ports/job-store.ts';
import { isFirstOrTenth, retry } from '../runtime/retry.ts';
import { Ticker } from '../runtime/ticker.ts';
import { reportContradiction } from './contradiction.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJobs } from './held-jobs.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

export interface KeeperEvents {
  /** The lease was renewed. */
  renewed(): void;
  /** These jobs are no longer this worker's. */
  drop(ids: readonly JobId[]): Promise<void>;
  /** Those of these jobs, which the store thinks are this worker's, that it knows nothing of. */
  strays(owned: readonly LiveJob[]): readonly LiveJob[];
  /** These are this worker's: the answer to the claim got lost. */
  adopt(strays: readonly LiveJob[]): void;
}

/** Jobs that were saved less than this many milliseconds ago are not saved again. */
const MIN_AGE_MS = 1_000;

/** Pauses between attempts to get the first lease, in milliseconds. */
const FIRST_LEASE = { baseMs: 100, capMs: 5_000 };

/** The store is asked for claims whose answer got lost every so many renewals, and after every failure. */
const RECONCILE_EVERY = 10;

/** Keeps the worker's lease, and its jobs' checkpoints: `kill -9` then costs a few seconds of hashing and nothing else. */
export class Keeper {
  readonly #deps: WorkerDeps;
  readonly #held: HeldJobs;
  readonly #metrics: WorkerMetrics;
  readonly #events: KeeperEvents;
  readonly #ticker: Ticker;
  readonly #stopped = new AbortController();
  #lastKept: number;
  /** Since it last succeeded. */
  #failures = 0;
  /** Any job may be somebody else's by now: every one is asked about, also those that have not moved. */
  #doubtful = false;
  /** The first time at once: a worker of this name may have been here before. */
  #untilReconcile = 0;

  constructor(deps: WorkerDeps, held: HeldJobs, metrics: WorkerMetrics, events: KeeperEvents) {
    this.#deps = deps;
    this.#held = held;
    this.#metrics = metrics;
    this.#events = events;
    this.#lastKept = deps.clock.monotonic();
    this.#ticker = new Ticker({
      everyMs: deps.settings.renewMs,
      run: () => this.#keep(),
      onError: (error) => {
        this.#untilReconcile = 0;
        metrics.storeErrors.add(1, { call: 'keep' });
        if (isFirstOrTenth(this.#failures++))
          deps.logger.warn('Could not renew the lease or write checkpoints', {
            error,
            failures: this.#failures,
          });
      },
    });
  }

  /** Rejects when the first lease cannot be had within `firstLeaseMs`, or the keeper is stopped. */
  async start(): Promise<void> {
    const { store, settings, clock, logger } = this.#deps;
    await retry(() => store.renew(settings.id, settings.leaseMs), {
      ...{ ...FIRST_LEASE, budgetMs: settings.firstLeaseMs, signal: this.#stopped.signal, clock },
      onRetry: (error, attempt) => {
        if (isFirstOrTenth(attempt)) logger.warn('The first lease cannot be had yet', { error, attempt });
      },
    });
    this.#lastKept = clock.monotonic();
    this.#ticker.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the worker stops'));
    await this.#ticker.stop();
  }

  /** Nobody knows what became of some jobs: all are compared with the store soon. */
  doubt(): void {
    this.#untilReconcile = 0;
    this.#doubtful = true;
  }

  /** Whether the lease lasts, as far as this process knows. */
  get isValid(): boolean {
    return this.age() < this.#deps.settings.leaseMs;
  }

  /** Milliseconds since the lease was last renewed. */
  age(): number {
    return this.#deps.clock.monotonic() - this.#lastKept;
  }

  async #keep(): Promise<void> {
    const { store, settings, clock } = this.#deps;
    if (this.age() > settings.leaseMs) this.doubt();
    // The lease counts from when the store writes it, which is not before it is asked.
    const askedAt = clock.monotonic();
    await store.renew(settings.id, settings.leaseMs);
    this.#lastKept = askedAt;
    this.#events.renewed();
    await this.#saveWhatIsDue();
    if (this.#untilReconcile-- <= 0) {
      this.#untilReconcile = RECONCILE_EVERY;
      await this.#reconcile();
    }
    this.#failures = 0;
  }

  /** A job may have ended between the store's answer and now: what is a stray is one still when the store is asked again. */
  async #reconcile(): Promise<void> {
    const { store, settings } = this.#deps;
    const first = this.#events.strays(await store.owned(settings.id));
    if (first.length === 0) return;
    const ids = new Set(first.map(({ id }) => id));
    const again = this.#events.strays(await store.owned(settings.id));
    this.#events.adopt(again.filter(({ id }) => ids.has(id)));
  }

  async #saveWhatIsDue(): Promise<void> {
    const doubtful = this.#doubtful;
    this.#doubtful = false;
    const due = doubtful ? this.#held.points() : this.#held.unsaved(this.#deps.clock.monotonic(), MIN_AGE_MS);
    if (due.length === 0) return;
    try {
      await this.#save(due);
    } catch (error) {
      this.#doubtful ||= doubtful;
      throw error;
    }
  }

  async #save(due: readonly Checkpoint[]): Promise<void> {
    const { store, settings, clock, logger } = this.#deps;
    const answers = await store.checkpoint(settings.id, due);
    const lost: JobId[] = [];
    due.forEach((checkpoint, i) => {
      if (answers[i] === 'kept') return this.#held.markSaved(checkpoint, clock.monotonic());
      if (answers[i] === 'contradiction') {
        reportContradiction(this.#deps, this.#metrics, checkpoint.id, checkpoint.position);
      }
      // A job that finished since is not lost: it is simply no longer live.
      if (this.#held.has(checkpoint.id)) lost.push(checkpoint.id);
    });
    this.#metrics.checkpoints.add(due.length - lost.length);
    if (lost.length === 0) return;
    this.#metrics.lost.add(lost.length);
    logger.info('Jobs are no longer ours', { jobs: lost.length, first: lost[0] });
    await this.#events.drop(lost);
  }
}
