import { createHash } from 'node:crypto';
import { ProblemError, refuse } from '../problems.ts';
import { Base64Hashing } from './base64.ts';
import { closingQuote } from './closing-quote.ts';
import { shapeProblem, type ItemParser, type ParsedItem, type StreamedData } from './item-parser.ts';
import type { Shape } from './json-scan.ts';
import { JsonStringDecoder } from './json-string.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
/** Source: RFC 8259 §2. */
const BLANKS = [0x20, 0x0a, 0x0d, 0x09];
/** All that is left of an item without its data. */
export const OUTLINE_BYTES = 64 * 1024;

type Source = 'data' | 'dataBase64';

/** A string whose content is hashed while it streams in. `end` says what stands for it in the outline. */
interface Streaming {
  write(piece: Buffer): void;
  end(): string;
}

/**
 * A large item, taken in without being held: the strings of its data are decoded and hashed piece by piece, and only an
 * outline of the rest is kept, in which they are empty. That is parsed in the end like any other item.
 */
export class LongItem implements Shape {
  keys = 0;
  depth = 0;
  values = 0;
  readonly #parser: ItemParser;
  readonly #outline = Buffer.allocUnsafe(OUTLINE_BYTES);
  #length = 0;
  #nesting = 0;
  #inString = false;
  #escaped = false;
  /** The string that is hashed now. */
  #streaming: Streaming | null = null;
  /** Where the last string of the outermost object begins in the outline; what stands there is a value, after a colon. */
  #lastString = 0;
  #source: Source | null = null;
  readonly #streamed: { -readonly [K in keyof StreamedData]: StreamedData[K] } = {};

  constructor(parser: ItemParser) {
    this.#parser = parser;
  }

  /** Throws when it cannot become an item any more. */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#inString ? this.#string(chunk, at) : this.#byte(chunk, at);
  }

  /** The item is complete. */
  end(tenant: string): ParsedItem {
    return this.#parser.parse(tenant, this.#outline.subarray(0, this.#length), this, this.#streamed);
  }

  #byte(chunk: Buffer, at: number): number {
    const byte = chunk[at]!;
    switch (byte) {
      case QUOTE:
        this.#open();
        break;
      case COLON:
        if (this.#nesting === 1) this.#colon();
        break;
      case COMMA:
        this.values++;
        if (this.#nesting === 1) this.#source = null;
        break;
      case 0x7b:
      case 0x5b:
        this.values++;
        this.depth = Math.max(this.depth, ++this.#nesting);
        break;
      case 0x7d:
      case 0x5d:
        this.#nesting--;
    }
    if (!this.#isNeedlessBlank(byte)) this.#keep(byte);
    return at + 1;
  }

  /** Of blanks, one is as good as many. */
  #isNeedlessBlank(byte: number): boolean {
    return BLANKS.includes(byte) && this.#length > 0 && BLANKS.includes(this.#outline[this.#length - 1]!);
  }

  #open(): void {
    this.#inString = true;
    if (this.#nesting === 1 && this.#source === null) this.#lastString = this.#length;
    if (this.#nesting === 1 && this.#source !== null) this.#streaming = this.#begin(this.#source);
  }

  /** A key has ended; its value follows. */
  #colon(): void {
    this.keys++;
    let key: unknown = null;
    try {
      key = JSON.parse(this.#outline.toString('utf8', this.#lastString, this.#length));
    } catch {
      // No key at all: the outline will not be valid either.
    }
    this.#source = key === 'data' || key === 'dataBase64' ? key : null;
  }

  /** Takes in what of the string is in the chunk. Where it goes on after that. */
  #string(chunk: Buffer, from: number): number {
    const end = this.#endOfString(chunk, from);
    const piece = chunk.subarray(from, end === -1 ? chunk.length : end);
    if (this.#streaming) this.#streaming.write(piece);
    else this.#keepAll(piece);
    if (end === -1) return chunk.length;
    if (this.#streaming) this.#keepAll(Buffer.from(this.#streaming.end()));
    this.#streaming = null;
    this.#inString = false;
    this.#keep(QUOTE);
    return end + 1;
  }

  /** Where the closing quote stands; -1 when it is still to come. */
  #endOfString(chunk: Buffer, from: number): number {
    const end = closingQuote(chunk, this.#escaped ? from + 1 : from);
    this.#escaped = end > chunk.length;
    return end < chunk.length ? end : -1;
  }

  #begin(source: Source): Streaming {
    const hash = createHash('sha512');
    if (source === 'data') {
      const decoder = new JsonStringDecoder((bytes) => hash.update(bytes));
      return {
        write: (piece) => decoder.write(piece),
        end: () => {
          decoder.end();
          this.#streamed.data = hash.digest('hex');
          return decoder.hasLoneSurrogate ? String.raw`\ud800` : '';
        },
      };
    }
    const base64 = new Base64Hashing(hash);
    const decoder = new JsonStringDecoder((bytes) => base64.write(bytes.toString()));
    return {
      write: (piece) => decoder.write(piece),
      end: () => {
        decoder.end();
        this.#streamed.base64Trouble = base64.end();
        this.#streamed.dataBase64 = hash.digest('hex');
        return '';
      },
    };
  }

  #keep(byte: number): void {
    this.#room(1);
    this.#outline[this.#length++] = byte;
  }

  #keepAll(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#length += bytes.copy(this.#outline, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= OUTLINE_BYTES) return;
    const tooMuch = shapeProblem(this);
    if (tooMuch !== null) throw new ProblemError(tooMuch);
    refuse('invalid-request', `The item has more than ${OUTLINE_BYTES} bytes beside its data.`);
  }
}
