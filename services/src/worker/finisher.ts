import { setTimeout as sleep } from 'node:timers/promises';
import type { JobId } from '../jobs/job.ts';
import type { Completion } from '../jobs/machine.ts';
import type { HashState } from '../ports/hasher.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJob } from './held-jobs.ts';
import { reportContradiction } from './contradiction.ts';
import { isFirstOrTenth, retry } from '../runtime/retry.ts';
import type { Teller } from '../runtime/teller.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** The most results written in one call. */
const MAX_BATCH = 1_000;

/**
 * Where results come faster than they are written, the next write waits for more of them: this many times what the last one
 * took, and no longer than this (milliseconds). A write costs the store the same for one result as for dozens.
 */
const LINGER = { times: 4, mostMs: 100 };

/** Tried for as long as it takes, for the work is done and must not be lost. */
const RETRY = { budgetMs: Infinity, baseMs: 50, capMs: 2_000 };

/** Writes results, many in one call, and tells everybody. Results wait here while the store is away. */
export class Finisher {
  readonly #deps: WorkerDeps;
  readonly #metrics: WorkerMetrics;
  readonly #teller: Teller;
  readonly #waiting = new Map<JobId, Completion>();
  /** When each of those was finished, in the same order, by the monotonic clock. */
  readonly #finishedAt = new Map<JobId, number>();
  /** When results were last written, or began to wait, by the monotonic clock. */
  #wroteAt = 0;
  readonly #stopped = new AbortController();
  readonly #hurry = new AbortController();
  #writing: Promise<void> | null = null;

  constructor(deps: WorkerDeps, metrics: WorkerMetrics, teller: Teller) {
    this.#deps = deps;
    this.#metrics = metrics;
    this.#teller = teller;
  }

  /** Results that are not stored yet. */
  get size(): number {
    return this.#waiting.size;
  }

  /** How long the oldest result has waited to be stored, in milliseconds; 0 when none waits. */
  oldestMs(): number {
    const [oldest] = this.#finishedAt.values();
    return oldest === undefined ? 0 : this.#deps.clock.monotonic() - oldest;
  }

  /** For how long results have waited and none was stored, in milliseconds; 0 when none waits. */
  stuckMs(): number {
    return this.#waiting.size === 0 ? 0 : this.#deps.clock.monotonic() - this.#wroteAt;
  }

  /** Whether the result of this job waits to be stored. */
  has(id: JobId): boolean {
    return this.#waiting.has(id);
  }

  finish(held: HeldJob, state: HashState): void {
    const { job, claimedAt, startedAt } = held;
    const { clock, settings } = this.#deps;
    const { id, tenant, chain, iterations, createdAt } = job;
    this.#metrics.ran.record((clock.monotonic() - claimedAt) / 1_000, { class: job.class });
    const now = clock.monotonic();
    if (this.#waiting.size === 0) this.#wroteAt = now;
    if (!this.#waiting.has(id)) this.#finishedAt.set(id, now);
    this.#waiting.set(id, {
      ...{ id, tenant, chain, iterations, createdAt },
      digest: state.digest,
      computed: iterations - job.position,
      worker: settings.id,
      startedAt,
    });
    this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  /** Waits until everything is written, or until the signal says that there is no more time. */
  async flush(signal: AbortSignal): Promise<void> {
    this.#hurry.abort();
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#writing, aborted]);
    // What cannot be written now never will be: the jobs are done again from their last checkpoints.
    this.#stopped.abort(new Error('there is no more time'));
  }

  async #write(): Promise<void> {
    // A turn of the event loop, so that all that finishes together is written together.
    await new Promise((resolve) => setImmediate(resolve));
    const { signal } = this.#stopped;
    while (this.#waiting.size > 0 && !signal.aborted) {
      const batch = [...this.#waiting.values()].slice(0, MAX_BATCH);
      const began = this.#deps.clock.monotonic();
      try {
        await retry(() => this.#store(batch), {
          ...{ ...RETRY, signal },
          onRetry: (error, attempt) => this.#failed(error, attempt),
        });
      } catch {
        // Only the signal ends the attempts.
        this.#deps.logger.error('Results are not stored', { results: this.#waiting.size });
        return;
      }
      this.#wroteAt = this.#deps.clock.monotonic();
      for (const { id } of batch) {
        this.#waiting.delete(id);
        this.#finishedAt.delete(id);
      }
      await this.#linger(this.#wroteAt - began);
    }
  }

  #failed(error: unknown, attempt: number): void {
    this.#metrics.storeErrors.add(1, { call: 'complete' });
    if (isFirstOrTenth(attempt))
      this.#deps.logger.warn('Results wait for the store', { error, attempt, results: this.#waiting.size });
  }

  async #linger(writeMs: number): Promise<void> {
    if (this.#waiting.size === 0 || this.#waiting.size >= MAX_BATCH) return;
    const ms = Math.min(LINGER.mostMs, LINGER.times * writeMs);
    // A drain does not wait.
    await sleep(ms, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
  }

  async #store(batch: readonly Completion[]): Promise<void> {
    const answers = await this.#deps.store.complete(batch);
    const stored = batch.filter((_, i) => answers[i] === 'stored' || answers[i] === 'known');
    const cancelled = answers.filter((answer) => answer === 'cancelled').length;
    if (cancelled > 0)
      this.#deps.logger.info('Jobs were cancelled before they were done', { jobs: cancelled });
    batch.forEach((completion, i) => {
      if (answers[i] === 'contradiction')
        reportContradiction(this.#deps, this.#metrics, completion.id, completion.iterations);
    });
    this.#metrics.finished.add(stored.length);
    // Whoever waits and does not hear it looks into the store.
    this.#teller.tell(
      'results',
      stored.map(({ id, digest }) => ({ id, outcome: 'done' as const, digest })),
    );
  }
}
