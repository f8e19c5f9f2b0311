import { closingQuote } from './closing-quote.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** What a JSON text looks like from outside, before it is parsed. */
export interface Shape {
  /** Colons of the outermost object. As many as it has keys, unless one of them is there twice. */
  readonly keys: number;
  /** The deepest nesting. */
  readonly depth: number;
  /** Objects, arrays and commas: an upper bound for the values in it, give or take one. */
  readonly values: number;
}

/**
 * Follows the structure of a JSON text through the chunks in which it comes, in one pass and without memory, so that
 * texts can be cut at commas and judged before anything is built of them. It does not judge the grammar: `JSON.parse`
 * does that afterwards.
 */
export class JsonScanner implements Shape {
  keys = 0;
  depth = 0;
  values = 0;
  #nesting = 0;
  #inString = false;
  #escaped = false;

  /** Forgets the text so far. */
  reset(): void {
    this.keys = 0;
    this.depth = 0;
    this.values = 0;
    this.#nesting = 0;
    this.#inString = false;
    this.#escaped = false;
  }

  /**
   * Scans from `from` on. Returns where a comma or a closing bracket stands outside of everything that was opened, which
   * is where the text ends for whoever cuts it; `chunk.length` when there is none.
   */
  scan(chunk: Buffer, from: number): number {
    const length = chunk.length;
    let i = from;
    while (i < length) {
      if (this.#inString) {
        i = this.#string(chunk, i);
        continue;
      }
      const byte = chunk[i]!;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === COLON) this.#colon();
      else if (byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
        if (this.#nesting === 0) return i;
        this.#leave(byte);
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#enter();
      i++;
    }
    return length;
  }

  #colon(): void {
    if (this.#nesting === 1) this.keys++;
  }

  #enter(): void {
    this.values++;
    this.#nesting++;
    if (this.#nesting > this.depth) this.depth = this.#nesting;
  }

  #leave(byte: number): void {
    if (byte === COMMA) this.values++;
    else this.#nesting--;
  }

  #string(chunk: Buffer, from: number): number {
    const end = closingQuote(chunk, this.#escaped ? from + 1 : from);
    this.#escaped = end > chunk.length;
    if (end >= chunk.length) return chunk.length;
    this.#inString = false;
    return end + 1;
  }
}
