import { readFileSync } from 'node:fs';

const HEADER = 32;
const FRAME_HEADER = 24;

/** Where a write-ahead log may be cut, and what is whole then. */
export interface Frames {
  /** Bytes up to the end of each frame. */
  readonly ends: readonly number[];
  /** Bytes up to the end of each transaction. */
  readonly commits: readonly number[];
}

/**
 * The frames of a log that has not been begun anew. A frame ends a transaction when its header tells the size of the file.
 * Source: https://www.sqlite.org/fileformat2.html#walformat
 */
export function framesOf(file: string): Frames {
  const log = readFileSync(`${file}-wal`);
  const page = log.readUInt32BE(8);
  const salt = log.readBigUInt64BE(16);
  const ends: number[] = [];
  const commits: number[] = [];
  for (let at = HEADER; at + FRAME_HEADER + page <= log.length; at += FRAME_HEADER + page) {
    if (log.readBigUInt64BE(at + 8) !== salt) break;
    const end = at + FRAME_HEADER + page;
    ends.push(end);
    if (log.readUInt32BE(at + 4) !== 0) commits.push(end);
  }
  return { ends, commits };
}
