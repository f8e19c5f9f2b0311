import { signedLeb128, unsignedLeb128 } from './leb128.ts';
import { MEMORY_ALIGNMENT, OPCODES, VALUE_TYPES } from './opcodes.ts';
import type { MemoryOp, PlainOp, ValueType } from './opcodes.ts';

/** A local variable of the function that is being written: its index. */
export type Local = number;

/** Lets a block of instructions end with the value type "nothing". */
const NO_RESULT = 0x40;

/** Writes the body of one WebAssembly function, instruction by instruction. */
export class Emitter {
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];

  /** @param parameters how many parameters the function has: they are the first locals. */
  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** A new local variable. */
  local(type: ValueType): Local {
    return this.#parameters + this.#locals.push(type) - 1;
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  op(name: PlainOp, ...immediates: readonly number[]): void {
    this.#code.push(...OPCODES[name], ...immediates);
  }

  get(local: Local): void {
    this.op('local.get', ...unsignedLeb128(local));
  }

  set(local: Local): void {
    this.op('local.set', ...unsignedLeb128(local));
  }

  tee(local: Local): void {
    this.op('local.tee', ...unsignedLeb128(local));
  }

  i32(value: number): void {
    this.op('i32.const', ...signedLeb128(value));
  }

  i64(value: number): void {
    this.op('i64.const', ...signedLeb128(value));
  }

  /** Reads or writes memory `offset` bytes after the address on the stack. */
  memory(name: MemoryOp, offset: number): void {
    this.#code.push(...OPCODES[name], MEMORY_ALIGNMENT[name], ...unsignedLeb128(offset));
  }

  /** Runs `body` again and again, for as long as it leaves something other than 0 on the stack. */
  loop(body: () => void): void {
    this.op('loop', NO_RESULT);
    body();
    this.op('br_if', 0);
    this.op('end');
  }

  /** The finished function, as the code section wants it, without its length. */
  body(): number[] {
    const declarations = this.#locals.flatMap((type) => [1, VALUE_TYPES[type]]);
    return unsignedLeb128(this.#locals.length).concat(declarations, this.#code, OPCODES.end);
  }
}
