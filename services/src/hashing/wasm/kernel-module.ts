import { DIGEST_BYTES } from '../../jobs/digest.ts';
import { ConstantPool } from './constant-pool.ts';
import { sha512Constants } from './constants.ts';
import type { Sha512Constants } from './constants.ts';
import { Emitter } from './emitter.ts';
import { loadDigests, storeDigests } from './digests.ts';
import { encodeModule } from './module.ts';
import { Sha512 } from './sha512.ts';
import { ONE_LANE, TWO_LANES, Words } from './word.ts';
import type { WordKind } from './word.ts';

/** Lanes of the module; the digest of lane i stands at `i * DIGEST_BYTES` in its memory. */
export const MODULE_LANES = 2;

/** Rounds whose message still has known words are written one by one; the others, 16 at a time, in a loop. */
const LOOPED_FROM = 32;
const LOOPED_ROUNDS = 16;
const ROUNDS = 80;

/** What the module exports. `steps` is at least 1. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Advances lane 0. */
  readonly one: (steps: number) => void;
  /** Advances both lanes. */
  readonly two: (steps: number) => void;
}

/** The bytes of a WebAssembly module that iterates SHA-512 in its own memory; see `KernelExports`. */
export function kernelModule(): Uint8Array<ArrayBuffer> {
  const constants = sha512Constants();
  const pool = new ConstantPool(MODULE_LANES * DIGEST_BYTES);
  const table = pool.table(constants.rounds.slice(LOOPED_FROM));
  const functions = [
    { name: 'one', code: iterate(ONE_LANE, pool, table, constants) },
    { name: 'two', code: iterate(TWO_LANES, pool, table, constants) },
  ];
  return encodeModule({ functions, data: { address: pool.start, bytes: pool.bytes() } });
}

/** A function that hashes the digests in memory as often as its parameter says. */
function iterate(kind: WordKind, pool: ConstantPool, table: number, constants: Sha512Constants): Emitter {
  const STEPS = 0;
  const code = new Emitter(1);
  const round = code.local('i32');
  const words = new Words(code, kind, pool);
  const sha512 = new Sha512(code, kind, words, constants);

  loadDigests(code, kind, sha512.digest);
  code.loop(() => {
    sha512.begin();
    for (let i = 0; i < LOOPED_FROM; i++) sha512.round(i, { known: constants.rounds[i]! });
    // `round` counts in bytes of the table.
    code.i32(0);
    code.set(round);
    code.loop(() => {
      for (let i = 0; i < LOOPED_ROUNDS; i++) {
        sha512.round(LOOPED_FROM + i, words.constantAt(round, table + 8 * i));
      }
      code.get(round);
      code.i32(8 * LOOPED_ROUNDS);
      code.op('i32.add');
      code.tee(round);
      code.i32(8 * (ROUNDS - LOOPED_FROM));
      code.op('i32.lt_u');
    });
    sha512.finish();
    code.get(STEPS);
    code.i32(1);
    code.op('i32.sub');
    code.tee(STEPS);
  });
  storeDigests(code, kind, sha512.digest);
  return code;
}
