import { backoffMs } from '../runtime/retry.ts';
import type { CliError } from './exit-codes.ts';

/** Why a request did not succeed, and whether asking again may help. */
export interface Trouble {
  readonly error: CliError;
  readonly retryable: boolean;
  /** How long the service asked to wait, in milliseconds; null when it did not say. */
  readonly afterMs: number | null;
}

/** Waits begin at up to 100 ms and grow to up to 2 s. */
export const BACKOFF = { baseMs: 100, capMs: 2_000 } as const;

/**
 * How long to wait before asking again, in milliseconds; null when it is no use, or when the wait would not end within
 * the budget that remains. What the service asks for is a minimum: a little jitter is added, so that not all who were
 * turned away come back in the same moment.
 */
export function waitBeforeRetry(
  trouble: Trouble,
  attempt: number,
  remainingMs: number,
  random: () => number,
): number | null {
  if (!trouble.retryable) return null;
  const own = backoffMs(attempt, BACKOFF, random);
  const wait = trouble.afterMs === null ? own : trouble.afterMs + own;
  return wait < remainingMs ? wait : null;
}

/** The `Retry-After` header in milliseconds from now: seconds or a date. Null when absent or unreadable. Source: RFC 9110 §10.2.3. */
export function retryAfterMs(header: string | null, now: number): number | null {
  const value = header?.trim();
  if (!value) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
