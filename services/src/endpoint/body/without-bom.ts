import type { BodySink } from './read-body.ts';

/** UTF-8's byte order mark. A JSON text has none, and a reader may take no notice of one. Source: RFC 8259 §8.1. */
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const NOTHING = Buffer.alloc(0);

/** Hands a document on without the byte order mark that it may begin with, in whatever pieces that comes. */
export class WithoutBom implements BodySink {
  readonly pieceBytes?: number;
  readonly #sink: BodySink;
  /** The first bytes, while they may be a mark; null once that is known. */
  #start: Buffer | null = NOTHING;

  constructor(sink: BodySink) {
    this.#sink = sink;
    if (sink.pieceBytes !== undefined) this.pieceBytes = sink.pieceBytes;
  }

  write(piece: Buffer): void {
    if (this.#start === null) return this.#sink.write(piece);
    const start = Buffer.concat([this.#start, piece]);
    const isMark = start.subarray(0, BOM.length).equals(BOM.subarray(0, start.length));
    if (isMark && start.length < BOM.length) {
      this.#start = start;
      return;
    }
    this.#start = null;
    this.#sink.write(isMark ? start.subarray(BOM.length) : start);
  }

  /** The document is complete: what was only the beginning of a mark is part of it. */
  end(): void {
    const start = this.#start;
    this.#start = null;
    if (start !== null && start.length > 0) this.#sink.write(start);
  }
}
