import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CliError, EXIT } from './exit-codes.ts';

/** Data on its way to the service: read piece by piece, never held as a whole. */
export interface Upload {
  /** Bytes, when known beforehand. */
  readonly size: number | null;
  /** Whether it can be read from its start (again). */
  canOpen(): boolean;
  /** The data from its start. */
  open(): AsyncIterable<Uint8Array>;
}

/** How much of standard input is kept, so that a short input survives a refused connection: 1 MiB. */
const KEPT_BYTES = 1_048_576;
const CHUNK_BYTES = 262_144;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'part of the path is no directory',
};

function unreadable(path: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new CliError(EXIT.usage, `Cannot read ${path}: ${REASONS[code ?? ''] ?? message}.`);
}

class FileUpload implements Upload {
  readonly size: number;
  readonly #path: string;

  constructor(path: string, size: number) {
    this.#path = path;
    this.size = size;
  }

  canOpen(): boolean {
    return true;
  }

  async *open(): AsyncGenerator<Uint8Array> {
    if (this.size === 0) return;
    // Not beyond the size that was announced, should the file grow meanwhile.
    const stream = createReadStream(this.#path, { end: this.size - 1, highWaterMark: CHUNK_BYTES });
    try {
      for await (const chunk of stream) yield chunk as Buffer;
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }
}

/**
 * A stream that can be read once. Its beginning is kept, and may be sent again as long as it is all that was read.
 * A request that was given up may still wait for a chunk when the next one begins: chunks are numbered and shared, so
 * that none gets lost between the two.
 */
class StreamUpload implements Upload {
  readonly size = null;
  readonly #name: string;
  readonly #source: Readable;
  #iterator: AsyncIterator<Buffer> | null = null;
  #pending: Promise<boolean> | null = null;
  /** Chunks `#first`, `#first` + 1, …; those before are dropped. */
  readonly #chunks: Buffer[] = [];
  #first = 0;
  #bytes = 0;
  /** The chunk that the newest reader wants next. */
  #wanted = 0;

  constructor(name: string, source: Readable) {
    this.#name = name;
    this.#source = source;
    // The stream keeps its error, and throws it where it is read; until then it must not end the process.
    source.on('error', () => undefined);
  }

  canOpen(): boolean {
    return this.#first === 0;
  }

  async *open(): AsyncGenerator<Uint8Array> {
    for (let i = 0; ; i++) {
      this.#wanted = i;
      this.#drop();
      while (i - this.#first >= this.#chunks.length) if (!(await this.#more())) return;
      yield this.#chunks[i - this.#first]!;
    }
  }

  /** Reads one chunk; false at the end. */
  #more(): Promise<boolean> {
    this.#iterator ??= this.#source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#pending ??= this.#read(this.#iterator).finally(() => (this.#pending = null));
    return this.#pending;
  }

  async #read(iterator: AsyncIterator<Buffer>): Promise<boolean> {
    const next = await iterator.next().catch((error: unknown) => {
      throw unreadable(this.#name, error);
    });
    if (next.done) return false;
    this.#chunks.push(next.value);
    this.#bytes += next.value.length;
    return true;
  }

  #drop(): void {
    if (this.#bytes <= KEPT_BYTES) return;
    const count = this.#wanted - this.#first;
    this.#chunks.splice(0, count);
    this.#first += count;
  }
}

/** The file at `path`, or `stdin` for `-`. Rejects with a `CliError` when it cannot be read. */
export async function openUpload(path: string, stdin: Readable): Promise<Upload> {
  if (path === '-') return new StreamUpload('standard input', stdin);
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (stats.isDirectory()) throw new CliError(EXIT.usage, `Cannot read ${path}: ${REASONS['EISDIR']}.`);
  return stats.isFile() ? new FileUpload(path, stats.size) : new StreamUpload(path, createReadStream(path));
}
