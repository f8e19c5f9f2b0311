/** The share of the interval by which it varies, up or down, so that many processes do not act at the same moment. */
const JITTER = 0.05;

export interface TickerOptions {
  /** Milliseconds from the end of one run to the begin of the next, give or take 5 %; asked for after each run. */
  readonly everyMs: number | (() => number);
  readonly run: () => Promise<void> | void;
  /** A run that failed; the next comes as if nothing had happened. */
  readonly onError: (error: Error) => void;
}

/** Runs something again and again, never twice at once. `start` and `stop` are idempotent. */
export class Ticker {
  readonly #options: TickerOptions;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #active = false;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#active) return;
    this.#active = true;
    this.#schedule();
  }

  /** Waits for a run that is under way. */
  async stop(): Promise<void> {
    this.#active = false;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#running;
  }

  /** Runs now, or joins the run that is under way. */
  now(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#running ??= this.#once().finally(() => {
      this.#running = null;
      if (this.#active) this.#schedule();
    });
    return this.#running;
  }

  #schedule(): void {
    const { everyMs } = this.#options;
    const ms = typeof everyMs === 'number' ? everyMs : everyMs();
    this.#timer = setTimeout(() => void this.now(), ms * (1 - JITTER + 2 * JITTER * Math.random()));
  }

  async #once(): Promise<void> {
    try {
      await this.#options.run();
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
