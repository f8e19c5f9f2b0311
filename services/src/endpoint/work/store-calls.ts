import { StoreUnavailableError, type JobStore } from '../../ports/job-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';
import { retry } from '../../runtime/retry.ts';
import { ProblemError, problem } from '../problems.ts';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

export interface StoreCallsOptions {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Calls that failed, by call. */
  readonly failures: Counter;
  /** How long one call is repeated while the store is away. */
  readonly retryMs: number;
}

/**
 * Calls the store, and calls again while it is away, within a budget. Repeating is safe: a job's name says what it is.
 * Once the store has been away for longer than the budget, a call is tried only once, so that requests do not pile up.
 */
export class StoreCalls {
  readonly #options: StoreCallsOptions;
  readonly #stopped = new AbortController();
  #awaySince: number | null = null;

  constructor(options: StoreCallsOptions) {
    this.#options = options;
  }

  /** Throws `unavailable` when the store stays away, and whatever else the call throws. */
  async call<T>(name: string, operation: (store: JobStore, attempt: number) => Promise<T>): Promise<T> {
    const { store, clock } = this.#options;
    const budgetMs = this.#budgetMs();
    try {
      return await retry((attempt) => this.#attempt(name, () => operation(store, attempt)), {
        budgetMs,
        baseMs: FIRST_WAIT_MS,
        capMs: LONGEST_WAIT_MS,
        clock,
        signal: this.#stopped.signal,
        retryable: (error) => error instanceof StoreUnavailableError,
      });
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      throw new ProblemError(
        problem(
          'unavailable',
          'The store cannot be reached now. What was asked for may or may not have happened; asking again is safe.',
        ),
        error,
      );
    }
  }

  /** What is wrong with the store, once calls are given up because of it. */
  trouble(): string | null {
    if (this.#awaySince === null || this.#budgetMs() > 0) return null;
    const seconds = Math.round((this.#options.clock.monotonic() - this.#awaySince) / 1000);
    return `the store has been away for ${seconds} s`;
  }

  /** Ends the waiting between attempts. */
  stop(): void {
    this.#stopped.abort(new ProblemError(problem('draining', 'This endpoint is stopping.')));
  }

  #budgetMs(): number {
    const { clock, retryMs } = this.#options;
    return this.#awaySince !== null && clock.monotonic() - this.#awaySince >= retryMs ? 0 : retryMs;
  }

  async #attempt<T>(name: string, operation: () => Promise<T>): Promise<T> {
    try {
      const answer = await operation();
      if (this.#awaySince !== null) this.#options.logger.info('The store is back', { call: name });
      this.#awaySince = null;
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#noteAway(name, error);
      throw error;
    }
  }

  #noteAway(name: string, error: StoreUnavailableError): void {
    const { logger, clock, failures } = this.#options;
    failures.add(1, { call: name });
    if (this.#awaySince !== null) return;
    this.#awaySince = clock.monotonic();
    logger.warn('The store is away', { call: name, error });
  }
}
