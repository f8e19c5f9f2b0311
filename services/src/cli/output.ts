import { styleText } from 'node:util';
import type { CliError } from './exit-codes.ts';

/** Somewhere to write text; `isTTY` when somebody watches. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type OutputFormat = 'text' | 'json';
export type Tone = 'good' | 'bad' | 'dim' | 'strong';

export interface OutputOptions {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly format: OutputFormat;
  readonly quiet: boolean;
  readonly colour: boolean;
}

const STYLES = { good: 'green', bad: 'red', dim: 'dim', strong: 'bold' } as const;

/** Something on the terminal that has to step aside while a line is written. */
export interface Overlay {
  hide(): void;
  show(): void;
}

/** Results go to standard output, everything else to standard error. */
export class Output {
  readonly format: OutputFormat;
  readonly quiet: boolean;
  readonly stderr: TextStream;
  readonly #options: OutputOptions;
  #overlay: Overlay | null = null;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.format = options.format;
    this.quiet = options.quiet;
    this.stderr = options.stderr;
  }

  /** The result of the command: a text, or `value` as one JSON document. */
  result(text: string, value: unknown): void {
    if (this.format === 'json') this.#write(this.#options.stdout, JSON.stringify(value, null, 2));
    else this.#write(this.#options.stdout, text);
  }

  /** One of several results: a line of text, or one line of JSON. */
  line(text: string, value: unknown): void {
    this.#write(this.#options.stdout, this.format === 'json' ? JSON.stringify(value) : text);
  }

  /** Something the user may want to know; nothing with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#write(this.#options.stderr, text);
  }

  /** What went wrong; also with `--quiet`. With json, one line: `{"error":{"message","details","exitCode"}}`. */
  error(error: CliError): void {
    const { message, details, exitCode } = error;
    if (this.format === 'json')
      return this.#write(this.#options.stderr, JSON.stringify({ error: { message, details, exitCode } }));
    const head = `${this.paint('bad', 'hashcluster:', this.#options.stderr)} ${error.message}`;
    this.#write(this.#options.stderr, [head, ...error.details.map((line) => `  ${line}`)].join('\n'));
  }

  /** The text in colour, where the stream (standard output unless told) is a terminal and the user likes colours. */
  paint(tone: Tone, text: string, stream: TextStream = this.#options.stdout): string {
    if (!this.#options.colour || stream.isTTY !== true) return text;
    return styleText(STYLES[tone], text, { validateStream: false });
  }

  /** From now on `overlay` is hidden while a line is written; null ends that. */
  overlay(overlay: Overlay | null): void {
    this.#overlay = overlay;
  }

  #write(stream: TextStream, text: string): void {
    const inTheWay = stream.isTTY === true ? this.#overlay : null;
    inTheWay?.hide();
    stream.write(`${text}\n`);
    inTheWay?.show();
  }
}
