const FREE = 0;
const REMOVED = -1;

/**
 * Numbers by key, in two flat arrays that are made once: it costs the same memory from beginning to end, and the garbage
 * collector never walks it. Open addressing: a key stands at its place or at the next free one after it. Keys and
 * numbers are positive integers.
 */
export class KeyTable {
  readonly #keys: Float64Array;
  readonly #values: Float64Array;
  readonly #mask: number;
  #used = 0;
  readonly #scratch = new Float64Array(1);
  readonly #words = new Uint32Array(this.#scratch.buffer);

  /** @param slots a power of two; the table takes half as many keys. */
  constructor(slots: number) {
    this.#keys = new Float64Array(slots);
    this.#values = new Float64Array(slots);
    this.#mask = slots - 1;
  }

  /** Half of the slots are taken; keys that were removed count, too. */
  get full(): boolean {
    return this.#used * 2 > this.#mask;
  }

  #slotOf(key: number): number {
    this.#scratch[0] = key;
    let slot = Math.imul(this.#words[0]! ^ Math.imul(this.#words[1]!, 0x85ebca6b), 0x9e3779b1) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    while (this.#keys[slot] !== FREE && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }

  get(key: number): number | undefined {
    const value = this.#values[this.#slotOf(key)]!;
    return value > 0 ? value : undefined;
  }

  set(key: number, value: number): void {
    const slot = this.#slotOf(key);
    if (this.#keys[slot] === FREE) this.#used++;
    this.#keys[slot] = key;
    this.#values[slot] = value;
  }

  delete(key: number): void {
    const slot = this.#slotOf(key);
    if (this.#keys[slot] === key) this.#values[slot] = REMOVED;
  }

  clear(): void {
    this.#keys.fill(FREE);
    this.#values.fill(FREE);
    this.#used = 0;
  }

  /** Puts every key that has a number into `into`, in order, and returns that part of it. */
  sortedKeys(into: Float64Array): Float64Array {
    let count = 0;
    for (const [slot, key] of this.#keys.entries()) if (this.#values[slot]! > 0) into[count++] = key;
    return into.subarray(0, count).sort();
  }
}
