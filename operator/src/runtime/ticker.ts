/** The share of the interval by which it varies, up or down, so that many processes do not act at the same moment. */
const JITTER = 0.05;

export interface TickerOptions {
  /** Milliseconds from the end of one run to the begin of the next, give or take 5 %. */
  readonly everyMs: number;
  /** The first run comes after that time too. Default: at once. */
  readonly startsLater?: boolean;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** A run that failed; the next comes as if nothing had happened. */
  readonly onError: (error: unknown) => void;
}

/** Runs something again and again, never twice at once. `start` and `stop` are idempotent. */
export class Ticker {
  readonly #options: TickerOptions;
  #running: { readonly stop: AbortController; done: Promise<void>; timer?: NodeJS.Timeout } | null = null;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = { stop: new AbortController(), done: Promise.resolve() };
    if (this.#options.startsLater) this.#schedule();
    else this.#tick();
  }

  /** Aborts a run that is under way, and waits for it. `start` may follow. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (!running) return;
    clearTimeout(running.timer);
    running.stop.abort(new Error('It has stopped'));
    await running.done;
  }

  #tick(): void {
    const running = this.#running;
    if (!running) return;
    running.done = this.#once(running.stop.signal).then(() => {
      if (this.#running === running) this.#schedule();
    });
  }

  #schedule(): void {
    const ms = this.#options.everyMs * (1 - JITTER + 2 * JITTER * Math.random());
    if (this.#running) this.#running.timer = setTimeout(() => this.#tick(), ms);
  }

  async #once(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.run(signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onError(error);
    }
  }
}
