import { setTimeout as sleep } from 'node:timers/promises';

/** Bounds of a wait, in milliseconds. */
export interface Backoff {
  /** The upper bound of the first wait; it doubles with each attempt. */
  readonly baseMs: number;
  /** The upper bound of every wait. */
  readonly capMs: number;
}

/**
 * How long to wait after failure `attempt` (0, 1, …), in milliseconds: between half of the bound and the bound, so that
 * a failing item is neither tried again at once nor in step with others.
 */
export function backoffMs(attempt: number, { baseMs, capMs }: Backoff, random: () => number): number {
  const bound = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return bound / 2 + (random() * bound) / 2;
}

/** Varies a period by up to `share` up or down, so that many do not act at the same moment. */
export function jittered(ms: number, share: number, random: () => number): number {
  return ms * (1 - share + 2 * share * random());
}

/** Waits. Rejects with the signal's reason when that aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
