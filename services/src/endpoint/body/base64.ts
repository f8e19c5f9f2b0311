import type { Hash } from 'node:crypto';

/** Everything but the padding. Source: RFC 4648 §4. */
const FOREIGN = /[^A-Za-z0-9+/]/;

function foreignTrouble(body: string, offset: number): string | null {
  const foreign = FOREIGN.exec(body);
  if (!foreign) return null;
  return `must be base64; character ${offset + foreign.index + 1} is ${JSON.stringify(foreign[0])}`;
}

function lengthTrouble(length: number): string | null {
  return length % 4 === 0 ? null : `must be padded to a multiple of 4 characters; it has ${length}`;
}

/** What is wrong with the end of a text, from `offset` on. */
function endTrouble(text: string, offset: number): string | null {
  const body = text.replace(/={1,2}$/, '');
  const foreign = foreignTrouble(body, offset);
  if (foreign !== null) return foreign;
  const tail = body.slice(-(body.length % 4 || 4));
  if (
    body.length !== text.length &&
    Buffer.from(tail, 'base64').toString('base64').replace(/=+$/, '') !== tail
  )
    return 'must be canonical base64; the unused bits at its end are not zero';
  return null;
}

/**
 * What is wrong with a text as canonical base64 (RFC 4648 §4: padded, nothing between the characters, unused bits
 * zero); null when nothing is. One text per value, so that equal data cannot look different.
 */
export function base64Trouble(text: string): string | null {
  return lengthTrouble(text.length) ?? endTrouble(text, 0);
}

/** Hashes what a base64 text stands for, piece by piece, without holding it. */
export class Base64Hashing {
  readonly #hash: Hash;
  #rest = '';
  #offset = 0;
  #trouble: string | null = null;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  write(piece: string): void {
    const text = this.#rest + piece;
    // The last four characters may be padded, so they wait for the end.
    const body = text.slice(0, Math.max(0, Math.floor((text.length - 1) / 4) * 4));
    this.#rest = text.slice(body.length);
    this.#trouble ??= foreignTrouble(body, this.#offset);
    if (this.#trouble === null) this.#hash.update(Buffer.from(body, 'base64'));
    this.#offset += body.length;
  }

  /** What is wrong with the text, as `base64Trouble` says it; null: all of it is hashed. */
  end(): string | null {
    const trouble =
      lengthTrouble(this.#offset + this.#rest.length) ??
      this.#trouble ??
      endTrouble(this.#rest, this.#offset);
    if (trouble === null) this.#hash.update(Buffer.from(this.#rest, 'base64'));
    return trouble;
  }
}
