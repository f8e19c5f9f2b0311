import type { Sha512Constants } from './constants.ts';
import type { Emitter, Local } from './emitter.ts';
import type { Word, WordKind, Words } from './word.ts';

/** Σ0, Σ1, σ0 and σ1: how far each turns. Source: NIST FIPS 180-4, §4.1.3. */
const BIG_SIGMA_0 = [28, 34, 39] as const;
const BIG_SIGMA_1 = [14, 18, 41] as const;
const SMALL_SIGMA_0 = [1, 8, 7] as const;
const SMALL_SIGMA_1 = [19, 61, 6] as const;

/** A message of 64 bytes ends with a 1 bit, zeros, and its length in bits. Source: FIPS 180-4, §5.1.2. */
const PADDING: readonly bigint[] = [1n << 63n, 0n, 0n, 0n, 0n, 0n, 0n, 512n];

/** A word of the state, and the local where its successors are kept. */
interface Register {
  readonly local: Local;
  readonly word: Word;
}

type State = readonly [Register, Register, Register, Register, Register, Register, Register, Register];

/**
 * Writes the instructions of SHA-512 for a message that is one digest: a single block of 8 words and constant padding.
 * The digest is in locals before and after. Source: NIST FIPS 180-4, §6.4.2.
 */
export class Sha512 {
  readonly #words: Words;
  readonly #constants: Sha512Constants;
  /** The message schedule: the last 16 words. The first 8 locals are the digest. */
  readonly #schedule: readonly Local[];
  readonly #registers: readonly Local[];
  readonly #sum: Local;
  readonly #differences: readonly Local[];
  #message: Word[] = [];
  #state: State;
  /** b ⊕ c of the coming round, which was a ⊕ b one round earlier. */
  #difference: Word;

  constructor(code: Emitter, kind: WordKind, words: Words, constants: Sha512Constants) {
    this.#words = words;
    this.#constants = constants;
    this.#schedule = code.locals(kind.type, 16);
    this.#registers = code.locals(kind.type, 8);
    this.#sum = code.local(kind.type);
    this.#differences = code.locals(kind.type, 2);
    this.#state = this.#initialState();
    this.#difference = this.#initialDifference();
  }

  get digest(): readonly Local[] {
    return this.#schedule.slice(0, 8);
  }

  /** Makes the digest the message. */
  begin(): void {
    this.#message = [
      ...this.digest.map((local) => this.#words.read(local)),
      ...PADDING.map((known) => ({ known })),
    ];
    this.#state = this.#initialState();
    this.#difference = this.#initialDifference();
  }

  /** Round `index` (0 … 79). The constant is K of that round. */
  round(index: number, constant: Word): void {
    const words = this.#words;
    const [a, b, c, d, e, f, g, h] = this.#state;
    const [aWord, bWord, eWord, fWord, gWord] = [a.word, b.word, e.word, f.word, g.word];
    const choice = words.xor(gWord, words.and(eWord, words.xor(fWord, gWord)));
    const first = words.keep(
      this.#sum,
      words.sum(h.word, this.#scheduled(index), constant, choice, words.sigma(eWord, BIG_SIGMA_1, 'rotate')),
    );
    const difference = words.keep(this.#differences[index % 2]!, words.xor(aWord, bWord));
    const majority = words.xor(bWord, words.and(difference, this.#difference));
    this.#difference = difference;
    // The new words take the places of those that leave, so nothing is moved.
    const newE = words.keep(d.local, words.sum(d.word, first));
    const newA = words.keep(h.local, words.sum(first, words.sigma(aWord, BIG_SIGMA_0, 'rotate'), majority));
    this.#state = [{ local: h.local, word: newA }, a, b, c, { local: d.local, word: newE }, e, f, g];
  }

  /** After round 79: the digest of the message, in place of the message. */
  finish(): void {
    this.#state.forEach(({ word }, i) => {
      this.#words.keep(this.#schedule[i]!, this.#words.sum(word, { known: this.#constants.initial[i]! }));
    });
  }

  /** The word of the message schedule for this round. */
  #scheduled(index: number): Word {
    const at = (back: number): Word => this.#message[(index - back) & 15]!;
    if (index < 16) return this.#message[index]!;
    const words = this.#words;
    const word = words.sum(
      at(16),
      words.sigma(at(15), SMALL_SIGMA_0, 'shift'),
      at(7),
      words.sigma(at(2), SMALL_SIGMA_1, 'shift'),
    );
    return (this.#message[index & 15] = words.keep(this.#schedule[index & 15]!, word));
  }

  #initialState(): State {
    const register = (i: number): Register => ({
      local: this.#registers[i]!,
      word: { known: this.#constants.initial[i]! },
    });
    return [0, 1, 2, 3, 4, 5, 6, 7].map(register) as unknown as State;
  }

  #initialDifference(): Word {
    return { known: this.#constants.initial[1]! ^ this.#constants.initial[2]! };
  }
}
