import type { JobId } from '../jobs/job.ts';
import { Ticker } from '../runtime/ticker.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldJob, HeldJobs } from './held-jobs.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/**
 * The oldest chain has an eighth of the lane time or more, so it moves with nearly every slice. So many seconds of work of
 * all engines (some hundred slices) without any move of it: no engine has it any more.
 */
const STALLED_SECONDS = 20;

/** Checks in a row in which engines that hold chains have not done a single iteration: then they never will. */
const IDLE_CHECKS = 40;

/**
 * Notices jobs that this worker holds and that are not hashed, and starts them again where they stand; and engines that do
 * nothing, which end the worker. It counts work and checks instead of time: a process that was frozen has done neither.
 */
export class Watchdog {
  readonly #deps: WorkerDeps;
  readonly #held: HeldJobs;
  readonly #metrics: WorkerMetrics;
  readonly #ticker: Ticker;
  /** Jobs that the hasher did not have at the last check: they may have been on their way out. */
  #missing: ReadonlySet<JobId> = new Set();
  #oldest: { readonly id: JobId; readonly position: number; readonly doneAt: number } | null = null;
  #idle = { iterationsDone: -1, checks: 0 };

  constructor(deps: WorkerDeps, held: HeldJobs, metrics: WorkerMetrics) {
    this.#deps = deps;
    this.#held = held;
    this.#metrics = metrics;
    this.#ticker = new Ticker({
      everyMs: deps.settings.renewMs,
      run: () => this.check(),
      onError: (error) => deps.logger.error('Jobs that are not hashed could not be looked for', { error }),
    });
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  /** One look at everything. */
  async check(): Promise<void> {
    this.#lookAtEngines();
    await this.#lookAtOldest();
    this.#lookForMissing();
  }

  #lookForMissing(): void {
    const { hasher } = this.#deps;
    const missing = this.#held.ids().filter((id) => !hasher.has(id));
    for (const id of missing) if (this.#missing.has(id)) this.#startAgain(this.#held.get(id)!);
    this.#missing = new Set(missing.filter((id) => !hasher.has(id)));
  }

  async #lookAtOldest(): Promise<void> {
    const { hasher } = this.#deps;
    const { iterationsDone, capacity } = hasher.load();
    const oldest = this.#held.oldest();
    const seen = this.#oldest;
    if (!oldest || oldest.job.id !== seen?.id || oldest.position !== seen.position) {
      this.#oldest = oldest && { id: oldest.job.id, position: oldest.position, doneAt: iterationsDone };
      return;
    }
    if (iterationsDone - seen.doneAt < STALLED_SECONDS * capacity) return;
    this.#oldest = null;
    const [state] = await hasher.remove([seen.id]);
    const held = this.#held.get(seen.id);
    // Where the hasher did not have it either, the next two checks find it missing.
    if (held && state && !hasher.has(seen.id)) this.#startAgain({ ...held, ...state });
  }

  #startAgain({ job, position, digest }: HeldJob): void {
    const { hasher, logger } = this.#deps;
    hasher.add([{ key: job.id, position, digest, target: job.iterations }]);
    this.#metrics.restarted.add(1);
    logger.error('A job was held and not hashed; it is started again', { job: job.id, position });
  }

  #lookAtEngines(): void {
    const { hasher, onFault } = this.#deps;
    const { chains, iterationsDone } = hasher.load();
    const isIdle = chains > 0 && iterationsDone === this.#idle.iterationsDone;
    this.#idle = { iterationsDone, checks: isIdle ? this.#idle.checks + 1 : 0 };
    if (this.#idle.checks === IDLE_CHECKS)
      onFault(new Error(`The hashing engines hold ${chains} chains and have done nothing for long`));
  }
}
