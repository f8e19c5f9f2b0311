import { Client } from './client.ts';
import type { Host } from './host.ts';
import { Output, type OutputFormat } from './output.ts';
import { openProgress, type Progress } from './progress.ts';
import type { LogFormat } from '../runtime/log-settings.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly server: URL;
  readonly timeout: number;
  readonly output: OutputFormat;
  readonly quiet?: boolean;
  readonly color: boolean;
}

/** What a command works with: where to write, whom to ask. */
export class Session {
  readonly host: Host;
  readonly output: Output;
  readonly #options: GlobalOptions;

  constructor(host: Host, options: GlobalOptions) {
    const { stdout, stderr, settings } = host;
    const colour = settings.colour && options.color;
    this.host = host;
    this.output = new Output({
      stdout,
      stderr,
      format: options.output,
      quiet: options.quiet === true,
      colour,
    });
    this.#options = options;
  }

  get signal(): AbortSignal {
    return this.host.signal;
  }

  /** How logs look unless something else is said: for people on a terminal, for programs elsewhere. */
  get logFormat(): LogFormat {
    return this.host.stderr.isTTY === true ? 'pretty' : 'json';
  }

  /**
   * A client of the service that `--server` names, or of another; `signal` ends its requests. `budgetMs`: how long to
   * try while the service is away, `--timeout` unless told otherwise.
   */
  client(signal: AbortSignal = this.signal, server: URL = this.#options.server, budgetMs?: number): Client {
    return new Client({
      server,
      budgetMs: budgetMs ?? this.#options.timeout,
      userAgent: `hashcluster/${this.host.version}`,
      signal,
      notice: (text) => this.output.note(text),
    });
  }

  progress(): Progress {
    return openProgress(this.output, () => performance.now());
  }
}
