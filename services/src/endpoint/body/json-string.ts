import { isUtf8 } from 'node:buffer';
import { refuse } from '../problems.ts';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** What is below must be escaped. Source: RFC 8259 §7. */
const FIRST_PRINTABLE = 0x20;
const NOTHING = Buffer.alloc(0);

/**
 * Decodes what stands between the quotes of a JSON string, piece by piece, without holding it. Decodes as `JSON.parse`
 * does; what that would not take is refused as `malformed-json`.
 */
export class JsonStringDecoder {
  /** It has a surrogate without its other half, which UTF-8 cannot express. */
  hasLoneSurrogate = false;
  readonly #onBytes: (bytes: Buffer) => void;
  /** The beginning of an escape, or of a character, whose rest is still to come. */
  #rest = NOTHING;

  /** `onBytes` is given the text as UTF-8, in pieces of whole characters. */
  constructor(onBytes: (bytes: Buffer) => void) {
    this.#onBytes = onBytes;
  }

  write(piece: Buffer): void {
    const all = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const end = completeEnd(all);
    this.#rest = Buffer.from(all.subarray(end));
    this.#decode(all.subarray(0, end));
  }

  /** The string is complete. */
  end(): void {
    this.#decode(this.#rest);
    this.#rest = NOTHING;
  }

  #decode(piece: Buffer): void {
    if (piece.length === 0) return;
    if (!isUtf8(piece)) refuse('malformed-json', 'The text is not valid UTF-8.');
    if (isPlain(piece)) return this.#onBytes(piece);
    let text: string;
    try {
      text = JSON.parse(`"${piece.toString()}"`) as string;
    } catch (error) {
      return refuse('malformed-json', `A string is not valid: ${(error as Error).message}.`);
    }
    this.hasLoneSurrogate ||= !text.isWellFormed();
    this.#onBytes(Buffer.from(text));
  }
}

/** Whether the bytes stand for themselves. */
function isPlain(piece: Buffer): boolean {
  for (let i = 0; i < piece.length; i++)
    if (piece[i]! < FIRST_PRINTABLE || piece[i] === BACKSLASH) return false;
  return true;
}

/** Up to where all escapes, pairs of surrogates and characters are complete. */
function completeEnd(bytes: Buffer): number {
  let slash = bytes.indexOf(BACKSLASH);
  while (slash !== -1) {
    const end = slash + escapeLength(bytes, slash);
    if (end > bytes.length) return slash;
    slash = bytes.indexOf(BACKSLASH, end);
  }
  return bytes.length - openCharacter(bytes);
}

/** The length of an escape, as far as it can be told: more than there is when the rest decides. */
function escapeLength(bytes: Buffer, slash: number): number {
  if (bytes[slash + 1] !== LETTER_U) return 2;
  const isHigh = /^[dD][89abAB]/.test(bytes.toString('latin1', slash + 2, slash + 4));
  if (bytes.length < slash + 6 || !isHigh) return 6;
  // The second half of a pair may follow.
  if (bytes[slash + 6] !== undefined && bytes[slash + 6] !== BACKSLASH) return 6;
  if (bytes[slash + 7] !== undefined && bytes[slash + 7] !== LETTER_U) return 6;
  return 12;
}

/** Bytes at the end that begin a character without ending it. Source: RFC 3629 §3. */
function openCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
