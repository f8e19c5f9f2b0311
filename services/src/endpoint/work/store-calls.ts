import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailableError, type JobStore } from '../../ports/job-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Counter } from '../../ports/metrics.ts';
import { answersWithin } from '../../runtime/deadline.ts';
import { retry } from '../../runtime/retry.ts';
import { ProblemError, problem } from '../problems.ts';

/** Calls that change nothing: they succeed also where nothing can be written, such as on a full disk. */
const READS: ReadonlySet<string> = new Set(['get', 'list', 'backlog']);

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

/** Reads, or writes. */
interface Lane {
  /** Since when such calls have failed; null while they succeed. */
  awaySince: number | null;
  /** Whether that was logged. */
  logged: boolean;
  looking: boolean;
}

/**
 * Calls the store, and calls again while it is away, within a budget. Repeating is safe: a job's name says what it is. Reads
 * and writes are apart: a store that cannot be written is read all the same.
 * Once the store has been away for longer than the budget, calls are refused at once, so that requests do not pile up,
 * until one look at the store, made again and again from the first call that failed on, finds that it is back. A call that has no answer within twice the
 * budget has failed, too.
 */
export class StoreCalls {
  readonly #options: StoreCallsOptions;
  readonly #stopped = new AbortController();
  readonly #reads: Lane = { awaySince: null, logged: false, looking: false };
  readonly #writes: Lane = { awaySince: null, logged: false, looking: false };

  constructor(options: StoreCallsOptions) {
    this.#options = options;
  }

  /** Throws `unavailable` when the store stays away, and whatever else the call throws. */
  async call<T>(name: string, operation: (store: JobStore, attempt: number) => Promise<T>): Promise<T> {
    const { store, clock, retryMs } = this.#options;
    const wrong = store.trouble();
    const lane = READS.has(name) ? this.#reads : this.#writes;
    if (wrong !== null) lane.awaySince ??= clock.monotonic();
    if (this.#isGivenUp(lane)) {
      if (!lane.looking) void this.#lookForIt(lane);
      throw unavailable(new StoreUnavailableError(this.#troubleOf(lane)!));
    }
    try {
      return await retry((attempt) => this.#attempt(lane, name, () => operation(store, attempt)), {
        budgetMs: retryMs,
        baseMs: FIRST_WAIT_MS,
        capMs: LONGEST_WAIT_MS,
        clock,
        signal: this.#stopped.signal,
        retryable: (error) => error instanceof StoreUnavailableError && !this.#isGivenUp(lane),
      });
    } catch (error) {
      throw error instanceof StoreUnavailableError ? unavailable(error) : error;
    } finally {
      // Perhaps nobody calls again: an endpoint that is not ready is asked for nothing, and must find out all the same.
      if (lane.awaySince !== null && !lane.looking && !this.#stopped.signal.aborted)
        void this.#lookForIt(lane);
    }
  }

  /** What is wrong with the store, once calls are given up because of it. */
  trouble(): string | null {
    return this.#troubleOf(this.#writes) ?? this.#troubleOf(this.#reads);
  }

  #troubleOf(lane: Lane): string | null {
    if (!this.#isGivenUp(lane)) return null;
    const seconds = Math.round((this.#options.clock.monotonic() - lane.awaySince!) / 1000);
    const what = lane === this.#writes ? 'away, or cannot be written,' : 'away';
    return `the store has been ${what} for ${seconds} s`;
  }

  /** Why the store does not trust the clocks; null when it does. */
  clockTrouble(): string | null {
    return this.#options.store.clockTrouble();
  }

  /** Ends the waiting between attempts. */
  stop(): void {
    this.#stopped.abort(new ProblemError(problem('draining', 'This endpoint is stopping.')));
  }

  #isGivenUp({ awaySince }: Lane): boolean {
    const { clock, retryMs } = this.#options;
    return awaySince !== null && clock.monotonic() - awaySince >= retryMs;
  }

  async #attempt<T>(lane: Lane, name: string, operation: () => Promise<T>): Promise<T> {
    const limitMs = this.#options.retryMs * PATIENCE;
    try {
      // A connection that nothing comes back from is noticed late, and nobody shall wait for that.
      const answer = await answersWithin(
        operation(),
        limitMs || Infinity,
        () => new StoreUnavailableError(`No answer within ${limitMs} ms`),
      );
      if (lane.logged) this.#options.logger.info('The store is back', { call: name });
      lane.awaySince = null;
      lane.logged = false;
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        this.#options.failures.add(1, { call: name });
        this.#noteAway(lane, name, error);
      }
      throw error;
    }
  }

  #noteAway(lane: Lane, name: string, error: StoreUnavailableError): void {
    const { logger, clock } = this.#options;
    lane.awaySince ??= clock.monotonic();
    if (lane.logged) return;
    lane.logged = true;
    logger.warn('The store is away', { call: name, error });
  }

  /** Until it is back. Who calls it meanwhile may find that out first. */
  async #lookForIt(lane: Lane): Promise<void> {
    const { store, logger } = this.#options;
    const { signal } = this.#stopped;
    lane.looking = true;
    try {
      await retry(() => this.#attempt(lane, 'look', () => this.#look(lane, store)), {
        ...{ budgetMs: Infinity, baseMs: FIRST_WAIT_MS, capMs: LONGEST_WAIT_MS, signal },
        retryable: () => lane.awaySince !== null,
        // It keeps no process from ending.
        pause: (ms, ending) => sleep(ms, undefined, { ref: false, ...(ending && { signal: ending }) }),
      });
    } catch (error) {
      if (!signal.aborted) logger.debug('The store is not looked for any more', { error });
    } finally {
      lane.looking = false;
    }
  }

  /** A read says nothing about writes; whether those succeed again, the store itself knows. */
  async #look(lane: Lane, store: JobStore): Promise<void> {
    await store.get(NOBODY.tenant, [NOBODY.id]);
    const wrong = store.trouble();
    if (lane === this.#writes && wrong !== null) throw new StoreUnavailableError(wrong);
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
