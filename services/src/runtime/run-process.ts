import { constants } from 'node:os';
import type { Logger } from '../ports/logger.ts';
import { settlesWithin } from './deadline.ts';
import { Lifecycle, type Part } from './lifecycle.ts';

/** Exit codes. 70 is `EX_SOFTWARE`; a process that a signal ends has 128 and the signal's number. Source: sysexits.h. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_FAULT = 70;

/** What is needed of `process`. */
export type ProcessHost = Pick<NodeJS.Process, 'on' | 'off' | 'exit'>;

export interface RunOptions {
  readonly logger: Logger;
  /** How long each part may take to stop, in milliseconds. */
  readonly stopMs?: number;
  /** Stops the process as a signal does. An `Error` as its reason is a fault: it is logged, and the exit code is 70. */
  readonly abort?: AbortSignal;
  /** Called before a fault ends the process at once, to flush logs; may take a second. */
  readonly lastWords?: () => Promise<unknown>;
  readonly host?: ProcessHost;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];

const LAST_WORDS_MS = 1_000;

/** Watches for signals and faults of one process, from `watch` to `unwatch`. */
class ProcessWatch {
  readonly #options: RunOptions;
  readonly #host: ProcessHost;
  readonly #asked = Promise.withResolvers<number>();
  #signals = 0;
  #dying = false;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#host = options.host ?? process;
  }

  /** Settles with the exit code when somebody asks the process to stop. */
  get asked(): Promise<number> {
    return this.#asked.promise;
  }

  watch(): void {
    for (const signal of SIGNALS) this.#host.on(signal, this.#onSignal);
    this.#host.on('uncaughtException', this.#onException);
    this.#host.on('unhandledRejection', this.#onRejection);
    const { abort } = this.#options;
    abort?.addEventListener('abort', this.#onAbort);
    if (abort?.aborted) this.#onAbort();
  }

  unwatch(): void {
    for (const signal of SIGNALS) this.#host.off(signal, this.#onSignal);
    this.#host.off('uncaughtException', this.#onException);
    this.#host.off('unhandledRejection', this.#onRejection);
    this.#options.abort?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onSignal = (signal: Signal): void => {
    this.#signals++;
    if (this.#signals > 1) {
      this.#options.logger.warn('Stopping at once', { signal });
      this.#host.exit(128 + constants.signals[signal]);
      return;
    }
    this.#options.logger.info('Stopping', { signal });
    this.#asked.resolve(EXIT_OK);
  };

  readonly #onAbort = (): void => {
    const reason: unknown = this.#options.abort?.reason;
    const fault = reason instanceof Error && reason.name !== 'AbortError';
    if (fault) this.#options.logger.error('Stopping because of a fault', { error: reason });
    else this.#options.logger.info('Stopping', { reason: 'asked to' });
    this.#asked.resolve(fault ? EXIT_FAULT : EXIT_OK);
  };

  readonly #onException = (error: unknown): void => {
    void this.#die('Uncaught exception', error);
  };

  readonly #onRejection = (error: unknown): void => {
    void this.#die('Unhandled rejection', error);
  };

  /** The state of the process is unknown now: nothing is stopped in order, all that was acknowledged is durable. */
  async #die(message: string, error: unknown): Promise<void> {
    const { logger, lastWords } = this.#options;
    logger.error(message, { fatal: true, error });
    if (this.#dying) return;
    this.#dying = true;
    try {
      if (lastWords) await settlesWithin(lastWords(), LAST_WORDS_MS);
    } catch (failure) {
      logger.error('The last words were lost', { error: failure });
    }
    this.#host.exit(EXIT_FAULT);
  }
}

/**
 * Runs parts until SIGTERM, SIGINT or `abort`, then stops them in reverse. Returns the exit code: 0, 1 when something did
 * not start or stop well, 70 after a fault. A second signal ends the process at once; an uncaught exception or unhandled
 * rejection is logged and ends it with 70.
 * ```
 * process.exit(await runProcess([telemetry, store, worker], { logger }));
 * ```
 */
export async function runProcess(parts: readonly Part[], options: RunOptions): Promise<number> {
  const watch = new ProcessWatch(options);
  const lifecycle = new Lifecycle(options.logger, options.stopMs);
  watch.watch();
  try {
    await Promise.race([lifecycle.start(parts), watch.asked]);
    const code = await watch.asked;
    const well = await lifecycle.stop();
    options.logger.info('Stopped', { well });
    return code === EXIT_OK && !well ? EXIT_FAILED : code;
  } catch (error) {
    options.logger.error('Could not start', { error });
    return EXIT_FAILED;
  } finally {
    watch.unwatch();
  }
}
