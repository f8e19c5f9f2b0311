/** The error of a wait that was given up; `code` is `STALLED`. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
  readonly code = 'STALLED';
}

/** Aborts a request that stands still. Armed while somebody else has to act, disarmed while we do. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `limitMs`: the longest wait unless told otherwise, in milliseconds. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Aborted when the wait was too long (the reason is a `StalledError`), or when the watchdog was closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the wait anew. */
  arm(limitMs = this.#limitMs): void {
    this.disarm();
    if (this.#closed) return;
    const bark = (): void => this.#controller.abort(new StalledError('no answer in time'));
    this.#timer = setTimeout(bark, limitMs);
  }

  disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Ends the request, if it still goes on; nothing is waited for from now on. Idempotent. */
  close(): void {
    this.#closed = true;
    this.disarm();
    this.#controller.abort();
  }
}
