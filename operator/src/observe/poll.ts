import type { Reading } from '../plan/observed.ts';
import type { Clock } from '../runtime/clock.ts';

export interface PollOptions<T> {
  /** From an answer to the next question, in milliseconds. */
  readonly everyMs: (value: T) => number;
  /** As much at most after failures: they begin with a second, and double. */
  readonly failingMs: number;
  readonly ask: () => Promise<T>;
  /** An answer that is not like the one before. */
  readonly onNews: () => void;
  readonly clock: Clock;
  /** What an answer says that is worth telling. Default: all of it. */
  readonly gist?: (value: T) => unknown;
}

const FIRST_FAILURE_MS = 1_000;

/**
 * Something that is asked again and again, by whoever comes by: `read` answers at once with what was last heard, and asks
 * anew when that is due. So nothing is asked for that nobody wants to know.
 */
export class Poll<T> {
  readonly #options: PollOptions<T>;
  #last: Reading<T> | null = null;
  #gist = '';
  #failures = 0;
  #dueAt = 0;
  #asking: Promise<void> | null = null;
  #expiries = 0;

  constructor(options: PollOptions<T>) {
    this.#options = options;
  }

  /** What was last heard; null before the first answer. */
  read(): Reading<T> | null {
    if (!this.#asking && this.#options.clock.monotonic() >= this.#dueAt) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = null;
      });
    }
    return this.#last;
  }

  /** What was heard is not true any more: the next `read` asks anew. */
  expire(): void {
    this.#expiries++;
    this.#dueAt = 0;
  }

  /** What was heard is not even worth knowing: until the next answer there is none. */
  outdate(): void {
    this.#last = null;
    this.expire();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { ask, clock, everyMs, failingMs, gist = (value: T) => value, onNews } = this.#options;
    // What is measured is at least as young as the question.
    const at = clock.now();
    let news = 'failed';
    let waitMs: number;
    const expiries = this.#expiries;
    try {
      const value = await ask();
      this.#last = { at, value };
      this.#failures = 0;
      news = JSON.stringify(gist(value));
      waitMs = everyMs(value);
    } catch (error) {
      this.#last = { at, error: error instanceof Error ? error.message : String(error) };
      waitMs = Math.min(failingMs, FIRST_FAILURE_MS * 2 ** Math.min(this.#failures++, 10));
    }
    this.#dueAt = this.#expiries === expiries ? clock.monotonic() + waitMs : 0;
    if (news === this.#gist) return;
    this.#gist = news;
    onNews();
  }
}
