import type { Clock } from '../runtime/clock.ts';
import { pause } from './backoff.ts';

export interface TokenBucketOptions {
  /** How many may go per second in the long run. */
  readonly perSecond: number;
  /** How many may go at once after a quiet time. */
  readonly burst: number;
  readonly clock: Clock;
}

/** Lets callers go at a bounded rate, first come, first served. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #at: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#at = options.clock.monotonic();
  }

  /** Takes a token now; false when there is none. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes a token, and waits for its turn. Rejects with the signal's reason when that aborts. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#refill();
    // Below zero are the tokens that those who wait have taken already.
    this.#tokens--;
    if (this.#tokens >= 0) return;
    try {
      await pause((-this.#tokens / this.#options.perSecond) * 1000, signal);
    } catch (error) {
      this.#tokens++;
      throw error;
    }
  }

  #refill(): void {
    const { perSecond, burst, clock } = this.#options;
    const now = clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
  }
}
