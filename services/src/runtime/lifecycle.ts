import type { Logger } from '../ports/logger.ts';
import { settlesWithin } from './deadline.ts';

/** Something of a process that starts and stops. Both are idempotent; `stop` before `start` does nothing. */
export interface Part {
  readonly name: string;
  start(): Promise<unknown> | void;
  stop(): Promise<unknown> | void;
  /** How long `stop` may take, in milliseconds, if not what the lifecycle grants to every part. */
  readonly stopMs?: number;
}

const STOP_MS = 10_000;

/** Starts parts in order and stops them in reverse, each within a bound. Used once: what has stopped stays stopped. */
export class Lifecycle {
  readonly #logger: Logger;
  readonly #stopMs: number;
  readonly #started: Part[] = [];
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<boolean> | null = null;

  constructor(logger: Logger, stopMs: number = STOP_MS) {
    this.#logger = logger;
    this.#stopMs = stopMs;
  }

  /**
   * Starts the parts one after the other. When one fails, those before it are stopped, and its error is thrown. When
   * `stop` is called meanwhile, the remaining parts are left alone.
   */
  async start(parts: readonly Part[]): Promise<void> {
    this.#starting = this.#startAll(parts);
    try {
      await this.#starting;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Stops what was started. A part that fails or takes too long is logged, and the next one stops all the same.
   * True when every part stopped well. Further calls join the first.
   */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #startAll(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      if (this.#stopping) return;
      this.#logger.debug('Part starts', { part: part.name });
      // Before it has started: what fails half-way may hold things that only `stop` lets go of.
      this.#started.push(part);
      await part.start();
    }
  }

  async #stopAll(): Promise<boolean> {
    // A start that hangs must not keep the process from stopping. That it failed is thrown where it was called.
    await settlesWithin(Promise.allSettled([this.#starting]), this.#stopMs);
    let well = true;
    for (const part of this.#started.reverse()) well = (await this.#stopPart(part)) && well;
    return well;
  }

  async #stopPart(part: Part): Promise<boolean> {
    const stopMs = part.stopMs ?? this.#stopMs;
    try {
      const inTime = await settlesWithin(Promise.resolve(part.stop()), stopMs);
      if (inTime) this.#logger.debug('Part stopped', { part: part.name });
      else this.#logger.error('Part did not stop in time', { part: part.name, stopMs });
      return inTime;
    } catch (error) {
      this.#logger.error('Part failed to stop', { part: part.name, error });
      return false;
    }
  }
}
