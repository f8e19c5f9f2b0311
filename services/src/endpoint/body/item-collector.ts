import { problem, refuse, type Problem } from '../problems.ts';
import type { Holder } from './held-bytes.ts';
import type { ParsedItem } from './item-parser.ts';
import { JsonScanner, type Shape } from './json-scan.ts';
import { keptBytes } from './kept-bytes.ts';

export interface ItemLimits {
  readonly maxItemBytes: number;
  readonly maxItems: number;
}

export type ParseItem = (text: Buffer, shape: Shape) => ParsedItem;

const NOTHING = Buffer.alloc(0);

/** Puts the pieces of an item together and has it parsed. Never holds more than one item and what became of the others. */
export class ItemCollector {
  readonly items: ParsedItem[] = [];
  readonly scanner = new JsonScanner();
  readonly #parse: ParseItem;
  readonly #limits: ItemLimits;
  readonly #holder: Holder;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(parse: ParseItem, limits: ItemLimits, holder: Holder) {
    this.#parse = parse;
    this.#limits = limits;
    this.#holder = holder;
  }

  /** Bytes of the item so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a piece whose continuation is still to come. Of an item that is too large, only the length is kept. */
  hold(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#limits.maxItemBytes) return this.#drop();
    this.#holder.take(piece.length);
    this.#pieces.push(piece);
  }

  /** The item as a whole; null when it was too large to be kept. `last` is its last piece. */
  take(last: Buffer = NOTHING): Buffer | null {
    const bytes = this.#bytes + last.length;
    const whole = joined(this.#pieces, last);
    this.#drop();
    this.#bytes = 0;
    return bytes > this.#limits.maxItemBytes ? null : whole;
  }

  /** Parses the item; what is wrong with it is its own affair. */
  add(text: Buffer | null): void {
    if (this.items.length >= this.#limits.maxItems)
      refuse('too-many-items', `A batch may have at most ${this.#limits.maxItems} items.`);
    const item = text ? this.#parse(text, this.scanner) : this.#tooLarge();
    this.#holder.take(keptBytes(item));
    this.items.push(item);
    this.scanner.reset();
  }

  #drop(): void {
    for (const piece of this.#pieces) this.#holder.give(piece.length);
    if (this.#pieces.length > 0) this.#pieces = [];
  }

  #tooLarge(): Problem {
    return problem('too-large', `An item of a batch may have at most ${this.#limits.maxItemBytes} bytes.`);
  }
}

/** Most items come in one piece, which is then not copied. */
function joined(pieces: readonly Buffer[], last: Buffer): Buffer {
  if (pieces.length === 0) return last;
  return pieces.length === 1 && last.length === 0 ? pieces[0]! : Buffer.concat([...pieces, last]);
}

/** Blank as JSON sees it. Source: RFC 8259 §2. */
export function isBlank(text: Buffer): boolean {
  return firstSolid(text, 0) === text.length;
}

/** Where the first byte that is not blank stands, from `from` on. */
export function firstSolid(text: Buffer, from: number): number {
  let i = from;
  while (i < text.length && (text[i] === 0x20 || text[i] === 0x0a || text[i] === 0x0d || text[i] === 0x09))
    i++;
  return i;
}
