import type { Logger } from './log.ts';

/** Something of a process that starts and stops. Both are idempotent; `stop` before `start` does nothing. */
export interface Part {
  readonly name: string;
  start(): Promise<unknown> | void;
  stop(): Promise<unknown> | void;
}

/** Of each part. The pod's grace period is longer than all of them together are likely to need. */
const STOP_MS = 10_000;

/** Starts parts in order and stops them in reverse, each within a bound. Used once. */
export class Lifecycle {
  readonly #logger: Logger;
  readonly #stopMs: number;
  readonly #started: Part[] = [];
  #stopping: Promise<boolean> | null = null;

  constructor(logger: Logger, stopMs = STOP_MS) {
    this.#logger = logger;
    this.#stopMs = stopMs;
  }

  /** When one fails, those before it are stopped, and its error is thrown. After `stop` the remaining ones are left alone. */
  async start(parts: readonly Part[]): Promise<void> {
    try {
      for (const part of parts) {
        if (this.#stopping) return;
        // Before it has started: what fails half-way may hold things that only `stop` lets go of.
        this.#started.push(part);
        await part.start();
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** True when every part stopped well and in time. Further calls join the first. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<boolean> {
    let well = true;
    for (const part of this.#started.reverse()) well = (await this.#stopPart(part)) && well;
    return well;
  }

  async #stopPart(part: Part): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not within ${this.#stopMs} ms`)), this.#stopMs);
    });
    try {
      await Promise.race([part.stop(), late]);
      return true;
    } catch (error) {
      this.#logger.error('A part did not stop well', { part: part.name, error });
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
