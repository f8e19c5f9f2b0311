import { ProblemError, problem, refuse } from '../problems.ts';
import { firstSolid, isBlank, type ItemCollector } from './item-collector.ts';
import { isProblem, type ParsedItem } from './item-parser.ts';
import type { LongItem } from './long-item.ts';
import { ITEM_PIECE_BYTES, type BodySink } from './read-body.ts';

const OPEN_BRACKET = 0x5b;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** An item alone that is larger than this is not held. */
const LONG_BYTES = 64 * 1024;

/** What takes single items in: the small ones, which are held, and the others. */
export interface SingleItems {
  readonly held: ItemCollector;
  readonly beginLong: () => LongItem;
  readonly endLong: (item: LongItem) => ParsedItem;
}

/**
 * Takes in a JSON document: one item, or an array of them, which is cut into its elements while it streams in.
 * A document that is no JSON is refused as a whole; an element that is no possible item fails alone.
 * It works on an element at a time: some cost much more than their bytes.
 */
export class DocumentSink implements BodySink {
  readonly pieceBytes = ITEM_PIECE_BYTES;
  readonly #single: SingleItems;
  readonly #elements: ItemCollector;
  #mode: 'start' | 'single' | 'array' | 'after' = 'start';
  #offset = 0;
  #long: LongItem | null = null;

  /** One item alone may be larger than an element of a batch. */
  constructor(single: SingleItems, elements: ItemCollector) {
    this.#single = single;
    this.#elements = elements;
  }

  write(chunk: Buffer): number {
    let at = 0;
    if (this.#mode === 'start') {
      at = firstSolid(chunk, 0);
      if (at < chunk.length) this.#mode = chunk[at] === OPEN_BRACKET ? 'array' : 'single';
      if (this.#mode === 'array') at++;
    }
    if (this.#mode === 'single') {
      this.#takeSingle(chunk.subarray(at));
      at = chunk.length;
    } else if (this.#mode === 'array') at = this.#scanArray(chunk, at);
    if (this.#mode === 'after' && firstSolid(chunk, at) < chunk.length)
      refuse('malformed-json', `Something follows the end of the array, at byte ${this.#offset + at}.`);
    if (this.#mode === 'after') at = chunk.length;
    this.#offset += at;
    return at;
  }

  /** The document is complete. Throws when it is no JSON. */
  end(): { readonly items: readonly ParsedItem[]; readonly batch: boolean } {
    if (this.#mode === 'start') refuse('malformed-json', 'The body is empty; a JSON document is expected.');
    if (this.#mode === 'array') refuse('malformed-json', 'The array is not closed.');
    if (this.#mode === 'after') {
      if (this.#elements.items.length === 0) refuse('invalid-request', 'The batch has no items.');
      return { items: this.#elements.items, batch: true };
    }
    const item = this.#long ? this.#single.endLong(this.#long) : this.#heldItem();
    if (isProblem(item)) throw new ProblemError(item);
    return { items: [item], batch: false };
  }

  #heldItem(): ParsedItem {
    const { held } = this.#single;
    held.add(held.take());
    return held.items[0]!;
  }

  #takeSingle(piece: Buffer): void {
    if (this.#long) return this.#long.write(piece);
    const { held, beginLong } = this.#single;
    for (let at = 0; at < piece.length;) at = held.scanner.scan(piece, at) + 1;
    held.hold(piece);
    if (held.bytes <= LONG_BYTES) return;
    this.#long = beginLong();
    const begun = held.take();
    if (begun) this.#long.write(begun);
  }

  /** Takes in one element, or what there is of it. Where that ends. */
  #scanArray(chunk: Buffer, from: number): number {
    const end = this.#elements.scanner.scan(chunk, from);
    const piece = chunk.subarray(from, end);
    if (end === chunk.length) {
      this.#elements.hold(piece);
      return end;
    }
    this.#element(piece, chunk[end]!, this.#offset + end);
    return end + 1;
  }

  #element(piece: Buffer, delimiter: number, offset: number): void {
    if (delimiter === CLOSE_BRACE) refuse('malformed-json', `Unexpected "}" at byte ${offset}.`);
    const text = this.#elements.take(piece);
    const last = delimiter !== COMMA;
    if (last) this.#mode = 'after';
    if (text && isBlank(text)) {
      if (last && this.#elements.items.length === 0) return;
      refuse('malformed-json', `A value is missing before byte ${offset}.`);
    }
    this.#elements.add(text);
    const item = this.#elements.items.at(-1)!;
    if (!isProblem(item) || item.slug !== 'malformed-json') return;
    const which = `Element ${this.#elements.items.length - 1} of the array`;
    throw new ProblemError(problem('malformed-json', `${which}: ${item.detail}`));
  }
}
