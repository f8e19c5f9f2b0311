import type { Problem } from '../problems.ts';
import { isProblem, type ParsedItem } from './item-parser.ts';

/** A good item has a fixed size: its facts, its submission, the job it became and that job's part of the answer. */
const JOB_BYTES = 1_024;
/** A problem without its texts, and one of its errors without its texts. Measured, rounded up. */
const PROBLEM_BYTES = 512;
const ERROR_BYTES = 192;
/** A character takes two bytes where any of its string is outside of Latin-1. */
const CHARACTER_BYTES = 2;

/** What is kept of an item until its answer is sent, in bytes: never less than what it takes of the heap. */
export function keptBytes(item: ParsedItem): number {
  return isProblem(item) ? problemBytes(item) : JOB_BYTES;
}

function problemBytes({ detail, errors }: Problem): number {
  let characters = detail.length;
  for (const error of errors)
    characters += error.detail.length + ('pointer' in error ? error.pointer : error.parameter).length;
  return PROBLEM_BYTES + errors.length * ERROR_BYTES + characters * CHARACTER_BYTES;
}
