import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailableError, type JobStore } from '../../ports/job-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';
import { answersWithin } from '../../runtime/deadline.ts';
import { retry } from '../../runtime/retry.ts';
import { ProblemError, problem } from '../problems.ts';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;
/** A call may go without an answer for this many times the time that calls are repeated. */
const PATIENCE = 2;

export interface StoreCallsOptions {
  readonly store: JobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Calls that failed, by call. */
  readonly failures: Counter;
  /** How long one call is repeated while the store is away. */
  readonly retryMs: number;
}

/** Looked up to see whether the store is back: whatever the answer, it came from there. */
const NOBODY = { tenant: 'default', id: '0'.repeat(26) };

/**
 * Calls the store, and calls again while it is away, within a budget. Repeating is safe: a job's name says what it is.
 * Once the store has been away for longer than the budget, calls are refused at once, so that requests do not pile up,
 * until one look at the store, made again and again, finds that it is back. A call that has no answer within twice the
 * budget has failed, too.
 */
export class StoreCalls {
  readonly #options: StoreCallsOptions;
  readonly #stopped = new AbortController();
  #awaySince: number | null = null;
  #looking = false;

  constructor(options: StoreCallsOptions) {
    this.#options = options;
  }

  /** Throws `unavailable` when the store stays away, and whatever else the call throws. */
  async call<T>(name: string, operation: (store: JobStore, attempt: number) => Promise<T>): Promise<T> {
    const { store, clock, retryMs } = this.#options;
    const wrong = store.trouble();
    if (wrong !== null) this.#noteAway(name, new StoreUnavailableError(wrong));
    if (this.#isGivenUp()) {
      if (!this.#looking) void this.#lookForIt();
      throw unavailable(new StoreUnavailableError(this.trouble()!));
    }
    try {
      return await retry((attempt) => this.#attempt(name, () => operation(store, attempt)), {
        budgetMs: retryMs,
        baseMs: FIRST_WAIT_MS,
        capMs: LONGEST_WAIT_MS,
        clock,
        signal: this.#stopped.signal,
        retryable: (error) => error instanceof StoreUnavailableError && !this.#isGivenUp(),
      });
    } catch (error) {
      throw error instanceof StoreUnavailableError ? unavailable(error) : error;
    }
  }

  /** What is wrong with the store, once calls are given up because of it. */
  trouble(): string | null {
    if (!this.#isGivenUp()) return null;
    const seconds = Math.round((this.#options.clock.monotonic() - this.#awaySince!) / 1000);
    return `the store has been away for ${seconds} s`;
  }

  /** Ends the waiting between attempts. */
  stop(): void {
    this.#stopped.abort(new ProblemError(problem('draining', 'This endpoint is stopping.')));
  }

  #isGivenUp(): boolean {
    const { clock, retryMs } = this.#options;
    return this.#awaySince !== null && clock.monotonic() - this.#awaySince >= retryMs;
  }

  async #attempt<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const limitMs = this.#options.retryMs * PATIENCE;
    try {
      // A connection that nothing comes back from is noticed late, and nobody shall wait for that.
      const answer = await answersWithin(
        operation(),
        limitMs || Infinity,
        () => new StoreUnavailableError(`No answer within ${limitMs} ms`),
      );
      if (this.#awaySince !== null) this.#options.logger.info('The store is back', { call: name });
      this.#awaySince = null;
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        this.#options.failures.add(1, { call: name });
        this.#noteAway(name, error);
      }
      throw error;
    }
  }

  #noteAway(name: string, error: StoreUnavailableError): void {
    const { logger, clock } = this.#options;
    if (this.#awaySince !== null) return;
    this.#awaySince = clock.monotonic();
    logger.warn('The store is away', { call: name, error });
  }

  /** Until it is back. Who calls it meanwhile may find that out first. */
  async #lookForIt(): Promise<void> {
    const { store, logger } = this.#options;
    const { signal } = this.#stopped;
    this.#looking = true;
    try {
      await retry(() => this.#attempt('look', () => store.get(NOBODY.tenant, [NOBODY.id])), {
        ...{ budgetMs: Infinity, baseMs: FIRST_WAIT_MS, capMs: LONGEST_WAIT_MS, signal },
        retryable: () => this.#awaySince !== null,
        // It keeps no process from ending.
        pause: (ms, ending) => sleep(ms, undefined, { ref: false, ...(ending && { signal: ending }) }),
      });
    } catch (error) {
      if (!signal.aborted) logger.debug('The store is not looked for any more', { error });
    } finally {
      this.#looking = false;
    }
  }
}

function unavailable(error: StoreUnavailableError): ProblemError {
  return new ProblemError(
    problem(
      'unavailable',
      'The store cannot be reached now. What was asked for may or may not have happened; asking again is safe.',
    ),
    error,
  );
}
