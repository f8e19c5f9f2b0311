/** 64-bit constants that stand in the module's memory; each is there once, but for those of a table. */
export class ConstantPool {
  readonly #start: number;
  readonly #values: bigint[] = [];

  /** @param start the address of the first constant, in bytes. */
  constructor(start: number) {
    this.#start = start;
  }

  get start(): number {
    return this.#start;
  }

  /** The address of this constant. */
  address(value: bigint): number {
    const known = this.#values.indexOf(value);
    return this.#start + 8 * (known < 0 ? this.#values.push(value) - 1 : known);
  }

  /** Puts constants side by side; the address of the first. */
  table(values: readonly bigint[]): number {
    return this.#start + 8 * (this.#values.push(...values) - values.length);
  }

  bytes(): Uint8Array {
    const bytes = new DataView(new ArrayBuffer(8 * this.#values.length));
    this.#values.forEach((value, i) => {
      bytes.setBigUint64(8 * i, value, true);
    });
    return new Uint8Array(bytes.buffer);
  }
}
