import { DIGEST_BYTES } from '../../jobs/digest.ts';
import type { Emitter, Local } from './emitter.ts';
import type { WordKind } from './word.ts';

/** Byte positions of a shuffle that turns the two words of a vector around, and of those that do so across two vectors. */
const SWAP_BOTH = [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8];
const SWAP_FIRSTS = [7, 6, 5, 4, 3, 2, 1, 0, 23, 22, 21, 20, 19, 18, 17, 16];
const SWAP_SECONDS = [15, 14, 13, 12, 11, 10, 9, 8, 31, 30, 29, 28, 27, 26, 25, 24];

/** Two words of a digest, 16 bytes of memory. */
const PAIR_BYTES = 16;
const PAIRS = DIGEST_BYTES / PAIR_BYTES;

/** From memory (the bytes of each digest in their own order, big-endian words) into 8 locals. */
export function loadDigests(code: Emitter, kind: WordKind, digest: readonly Local[]): void {
  const vector = code.locals('v128', 2);
  for (let pair = 0; pair < PAIRS; pair++) {
    const [even, odd] = [digest[2 * pair]!, digest[2 * pair + 1]!];
    loadPair(code, pair * PAIR_BYTES, vector[0]!);
    if (kind.type === 'i64') {
      shuffle(code, vector[0]!, vector[0]!, SWAP_BOTH);
      code.tee(vector[0]!);
      code.op('i64x2.extract_lane', 0);
      code.set(even);
      code.get(vector[0]!);
      code.op('i64x2.extract_lane', 1);
      code.set(odd);
    } else {
      loadPair(code, DIGEST_BYTES + pair * PAIR_BYTES, vector[1]!);
      shuffle(code, vector[0]!, vector[1]!, SWAP_FIRSTS);
      code.set(even);
      shuffle(code, vector[0]!, vector[1]!, SWAP_SECONDS);
      code.set(odd);
    }
  }
}

/** From 8 locals back into memory. */
export function storeDigests(code: Emitter, kind: WordKind, digest: readonly Local[]): void {
  const vector = code.local('v128');
  for (let pair = 0; pair < PAIRS; pair++) {
    const [even, odd] = [digest[2 * pair]!, digest[2 * pair + 1]!];
    if (kind.type === 'i64') {
      code.get(even);
      code.op('i64x2.splat');
      code.get(odd);
      code.op('i64x2.replace_lane', 1);
      code.set(vector);
      code.i32(0);
      shuffle(code, vector, vector, SWAP_BOTH);
      code.memory('v128.store', pair * PAIR_BYTES);
    } else {
      code.i32(0);
      shuffle(code, even, odd, SWAP_FIRSTS);
      code.memory('v128.store', pair * PAIR_BYTES);
      code.i32(0);
      shuffle(code, even, odd, SWAP_SECONDS);
      code.memory('v128.store', DIGEST_BYTES + pair * PAIR_BYTES);
    }
  }
}

function loadPair(code: Emitter, address: number, into: Local): void {
  code.i32(0);
  code.memory('v128.load', address);
  code.set(into);
}

function shuffle(code: Emitter, left: Local, right: Local, bytes: readonly number[]): void {
  code.get(left);
  code.get(right);
  code.op('i8x16.shuffle', ...bytes);
}
