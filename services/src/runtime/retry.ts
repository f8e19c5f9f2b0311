import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';
import { systemClock } from './system-clock.ts';

/** Waits; rejects when the signal aborts. */
export type Pause = (ms: number, signal?: AbortSignal) => Promise<unknown>;

export interface RetryOptions {
  /** All attempts and the waits between them begin within this many milliseconds; then the last error is thrown. */
  readonly budgetMs: number;
  /** The upper bound of the first wait, in milliseconds; it doubles with each attempt. */
  readonly baseMs: number;
  /** The upper bound of every wait, in milliseconds. */
  readonly capMs: number;
  /** Ends the waiting. The signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Errors for which this is false are thrown at once. Default: every error is worth another attempt. */
  readonly retryable?: (error: unknown) => boolean;
  /** Told of every failure that is followed by another attempt. */
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly pause?: Pause;
}

/**
 * How long to wait after attempt `attempt` (0, 1, …), in milliseconds: anything from 0 to the bound, all equally likely.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
 */
export function backoffMs(
  attempt: number,
  bounds: { readonly baseMs: number; readonly capMs: number },
  random: () => number,
): number {
  return random() * Math.min(bounds.capMs, bounds.baseMs * 2 ** attempt);
}

/** For logs: the first failure (attempt 0) is worth a line, and each tenth, so that what goes on is seen to go on. */
export function isFirstOrTenth(attempt: number): boolean {
  return attempt === 0 || (attempt + 1) % 10 === 0;
}

const pauseWithTimer: Pause = (ms, signal) => sleep(ms, undefined, signal ? { signal } : {});

/**
 * Calls `operation(attempt)` until it succeeds, with full-jitter backoff between the attempts, within a budget.
 * Throws the operation's last error when the budget is used up or the error is not worth retrying, and the signal's
 * reason when that aborts. One attempt is not interrupted: an operation that can hang needs a bound of its own.
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T> | T,
  options: RetryOptions,
): Promise<T> {
  const { signal, clock = systemClock, random = Math.random, pause = pauseWithTimer } = options;
  const end = clock.monotonic() + options.budgetMs;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      const waitMs = backoffMs(attempt, options, random);
      const hopeless = options.retryable?.(error) === false;
      if (hopeless || clock.monotonic() + waitMs >= end) throw error;
      options.onRetry?.(error, attempt, waitMs);
      await waitOrThrowReason(pause, waitMs, signal);
    }
  }
}

/** Node's timers reject with their own `AbortError`; callers expect the reason they gave. */
async function waitOrThrowReason(pause: Pause, ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(ms, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
