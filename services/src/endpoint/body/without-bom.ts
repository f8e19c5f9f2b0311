import type { BodySink } from './read-body.ts';

/** UTF-8's byte order mark. A JSON text has none, and a reader may take no notice of one. Source: RFC 8259 §8.1. */
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Hands a document on without the byte order mark that it may begin with, in whatever pieces that comes. */
export class WithoutBom implements BodySink {
  readonly pieceBytes?: number;
  readonly #sink: BodySink;
  /** Bytes of a mark seen so far, while the document may begin with one; null once that is known. */
  #seen: number | null = 0;

  constructor(sink: BodySink) {
    this.#sink = sink;
    if (sink.pieceBytes !== undefined) this.pieceBytes = sink.pieceBytes;
  }

  write(piece: Buffer): number {
    if (this.#seen === null) return this.#sink.write(piece);
    let at = 0;
    while (at < piece.length && this.#seen < BOM.length && piece[at] === BOM[this.#seen]) {
      at++;
      this.#seen++;
    }
    if (this.#seen === BOM.length) this.#seen = null;
    else if (at < piece.length) this.end();
    return at === 0 ? this.#sink.write(piece) : at;
  }

  /** The document is complete: what was only the beginning of a mark is part of it. */
  end(): void {
    const seen = this.#seen ?? 0;
    this.#seen = null;
    if (seen > 0) this.#sink.write(BOM.subarray(0, seen));
  }
}
