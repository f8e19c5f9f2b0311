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

/** Node.js decodes arguments as UTF-8 and puts U+FFFD for what is none, so such a name cannot be opened. */
const NOT_UTF8 = ['Its name is not valid UTF-8. Send it through standard input: hashcluster submit - < FILE'];

function unreadable(path: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  const hint = code === 'ENOENT' && path.includes('\ufffd') ? NOT_UTF8 : [];
  return new CliError(EXIT.usage, `Cannot read ${path}: ${REASONS[code ?? ''] ?? message}.`, hint);
}

function changed(path: string, size: number, read: number): CliError {
  const found = read > size ? 'it has grown' : `it ended after ${read}`;
  return new CliError(
    EXIT.usage,
    `${path} changed while it was read: ${found} where ${size} bytes were announced.`,
  );
}

/**
 * A file that can be read again and again. `size` is null where the file system does not know it beforehand, as for the
 * files of /proc, which say 0: those are read to their end.
 */
class FileUpload implements Upload {
  readonly size: number | null;
  readonly #path: string;

  constructor(path: string, size: number) {
    this.#path = path;
    this.size = size === 0 ? null : size;
  }

  canOpen(): boolean {
    return true;
  }

  /** Throws a `CliError` when the file ends elsewhere than announced; then its last bytes have not been handed on. */
  async *open(): AsyncGenerator<Uint8Array> {
    const { size } = this;
    let read = 0;
    let last: Buffer | null = null;
    try {
      for await (const chunk of createReadStream(this.#path, { highWaterMark: CHUNK_BYTES })) {
        // One chunk is kept back: a request whose announced bytes have all been sent can no longer be given up.
        if (last) yield last;
        last = chunk as Buffer;
        read += last.length;
        if (size !== null && read > size) break;
      }
    } catch (error) {
      throw unreadable(this.#path, error);
    }
    if (size !== null && read !== size) throw changed(this.#path, size, read);
    if (last) yield last;
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
