import type { ConstantPool } from './constant-pool.ts';
import type { Emitter, Local } from './emitter.ts';
import type { PlainOp } from './opcodes.ts';

/** A 64-bit word of the computation: known while the module is written, or pushed by instructions at run time. */
export type Word = { readonly known: bigint } | { readonly push: () => void };

/** The instructions of one kind of word. */
export interface WordKind {
  readonly type: 'i64' | 'v128';
  readonly add: PlainOp;
  readonly and: PlainOp;
  readonly xor: PlainOp;
  readonly shiftRight: PlainOp;
  readonly shiftLeft: PlainOp | null;
  /** Null where there is no such instruction: two shifts do it. */
  readonly rotateRight: PlainOp | null;
  /** Loads one 64-bit constant. */
  readonly constant: 'i64.load' | 'v128.load64_splat';
}

/** One chain, in general registers. */
export const ONE_LANE: WordKind = {
  type: 'i64',
  add: 'i64.add',
  and: 'i64.and',
  xor: 'i64.xor',
  shiftRight: 'i64.shr_u',
  shiftLeft: null,
  rotateRight: 'i64.rotr',
  constant: 'i64.load',
};

/** Two chains side by side, in vector registers. */
export const TWO_LANES: WordKind = {
  type: 'v128',
  add: 'i64x2.add',
  and: 'v128.and',
  xor: 'v128.xor',
  shiftRight: 'i64x2.shr_u',
  shiftLeft: 'i64x2.shl',
  rotateRight: null,
  constant: 'v128.load64_splat',
};

const ZERO: Word = { known: 0n };
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

/**
 * Arithmetic on words. What is known is computed at once, so the constant words of a message fold away by themselves;
 * the rest becomes instructions, written where the word is kept.
 */
export class Words {
  readonly #code: Emitter;
  readonly #kind: WordKind;
  readonly #pool: ConstantPool;

  constructor(code: Emitter, kind: WordKind, pool: ConstantPool) {
    this.#code = code;
    this.#kind = kind;
    this.#pool = pool;
  }

  /** The constant at `address`, counted from the address that `base` holds. */
  constantAt(base: Local, address: number): Word {
    return {
      push: () => {
        this.#code.get(base);
        this.#code.memory(this.#kind.constant, address);
      },
    };
  }

  read(local: Local): Word {
    return {
      push: () => {
        this.#code.get(local);
      },
    };
  }

  /** Computes the word now, into `local`. A known word needs none. */
  keep(local: Local, word: Word): Word {
    if ('known' in word) return word;
    word.push();
    this.#code.set(local);
    return this.read(local);
  }

  /** The sum, modulo 2^64, of all of them: what is known is added in one. */
  sum(...words: readonly Word[]): Word {
    const known = wrap(words.reduce((sum, word) => sum + ('known' in word ? word.known : 0n), 0n));
    const open = words.filter((word) => 'push' in word);
    if (open.length === 0) return { known };
    const all: Word[] = known === 0n ? open : [...open, { known }];
    return all.reduce((left, right) => this.#apply(this.#kind.add, left, right));
  }

  and(left: Word, right: Word): Word {
    if ('known' in left && 'known' in right) return { known: left.known & right.known };
    return this.#apply(this.#kind.and, left, right);
  }

  xor(left: Word, right: Word): Word {
    if ('known' in left && 'known' in right) return { known: left.known ^ right.known };
    return this.#apply(this.#kind.xor, left, right);
  }

  /**
   * The word rotated right by each of three amounts, and all of that combined by exclusive or; with `shift`, the last
   * amount only shifts. These are the Σ and σ of FIPS 180-4, §4.1.3.
   */
  sigma(word: Word, amounts: readonly [number, number, number], last: 'rotate' | 'shift'): Word {
    const parts = amounts.flatMap((amount, i) =>
      last === 'shift' && i === 2 ? [this.#shiftRight(word, amount)] : this.#rotated(word, amount),
    );
    return this.#xorAll(parts);
  }

  /** As a tree, so that the processor can do several at once. */
  #xorAll(words: readonly Word[]): Word {
    const [only = ZERO] = words;
    if (words.length < 2) return only;
    const half = 2 ** Math.floor(Math.log2(words.length - 1));
    return this.xor(this.#xorAll(words.slice(0, half)), this.#xorAll(words.slice(half)));
  }

  /** Words whose exclusive or is `word` rotated: two shifts never overlap. */
  #rotated(word: Word, amount: number): Word[] {
    const { rotateRight, shiftLeft } = this.#kind;
    if ('known' in word) {
      return [{ known: wrap((word.known >> BigInt(amount)) | (word.known << BigInt(64 - amount))) }];
    }
    if (rotateRight !== null) return [this.#shifted(rotateRight, word, amount)];
    if (shiftLeft === null) throw new Error('A kind of word must rotate or shift left');
    return [this.#shiftRight(word, amount), this.#shifted(shiftLeft, word, 64 - amount)];
  }

  #shiftRight(word: Word, amount: number): Word {
    if ('known' in word) return { known: word.known >> BigInt(amount) };
    return this.#shifted(this.#kind.shiftRight, word, amount);
  }

  #shifted(op: PlainOp, word: Word, amount: number): Word {
    return {
      push: () => {
        this.#push(word);
        // Vectors are shifted by an i32, words by their like.
        if (this.#kind.type === 'v128') this.#code.i32(amount);
        else this.#code.i64(amount);
        this.#code.op(op);
      },
    };
  }

  #apply(op: PlainOp, left: Word, right: Word): Word {
    return {
      push: () => {
        this.#push(left);
        this.#push(right);
        this.#code.op(op);
      },
    };
  }

  #push(word: Word): void {
    if ('push' in word) {
      word.push();
      return;
    }
    this.#code.i32(0);
    this.#code.memory(this.#kind.constant, this.#pool.address(word.known));
  }
}
