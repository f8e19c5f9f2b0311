import { refuse } from '../problems.ts';
import { isBlank, type ItemCollector } from './item-collector.ts';
import { ITEM_PIECE_BYTES, type BodySink } from './read-body.ts';

const LINE_FEED = 0x0a;

/**
 * Takes in NDJSON: a JSON text per line, cut while it streams in. Blank lines are read over. A bad line fails alone.
 * It works on a line at a time: some lines cost much more than their bytes.
 */
export class LinesSink implements BodySink {
  readonly pieceBytes = ITEM_PIECE_BYTES;
  readonly #lines: ItemCollector;

  constructor(lines: ItemCollector) {
    this.#lines = lines;
  }

  write(chunk: Buffer): number {
    const end = chunk.indexOf(LINE_FEED);
    if (end === -1) {
      this.#lines.hold(chunk);
      return chunk.length;
    }
    this.#line(chunk.subarray(0, end));
    return end + 1;
  }

  /** The last line needs no line feed. Throws when there was no item at all. */
  end(): void {
    this.#line();
    if (this.#lines.items.length === 0) refuse('invalid-request', 'The batch has no items.');
  }

  #line(last?: Buffer): void {
    const line = this.#lines.take(last);
    if (line && isBlank(line)) return;
    if (line) this.#scan(line);
    this.#lines.add(line);
  }

  #scan(line: Buffer): void {
    let at = 0;
    while (at < line.length) at = this.#lines.scanner.scan(line, at) + 1;
  }
}
