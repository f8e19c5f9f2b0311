/**
 * A binary min-heap of small integers (slots), ordered by a key that the owner keeps in an array. It knows where each
 * slot stands, so that any slot can be taken out, or moved after its key has changed, in O(log n).
 */
export class IndexedHeap {
  readonly #keyOf: (slot: number) => number;
  readonly #tieOf: (slot: number) => number;
  readonly #slots: number[] = [];
  readonly #places = new Map<number, number>();

  /** @param tieOf decides between equal keys, smaller first; without it their order is open */
  constructor(keyOf: (slot: number) => number, tieOf: (slot: number) => number = () => 0) {
    this.#keyOf = keyOf;
    this.#tieOf = tieOf;
  }

  get size(): number {
    return this.#slots.length;
  }

  /** The slot with the smallest key, or undefined when empty. */
  peek(): number | undefined {
    return this.#slots[0];
  }

  /** Adds a slot that is not in the heap. */
  push(slot: number): void {
    this.#slots.push(slot);
    this.#places.set(slot, this.#slots.length - 1);
    this.#up(this.#slots.length - 1);
  }

  /** Takes the slot with the smallest key out, or answers undefined when empty. */
  pop(): number | undefined {
    const first = this.#slots[0];
    if (first !== undefined) this.delete(first);
    return first;
  }

  /** Takes a slot out; false when it is not in the heap. */
  delete(slot: number): boolean {
    const place = this.#places.get(slot);
    if (place === undefined) return false;
    this.#places.delete(slot);
    const last = this.#slots.pop()!;
    if (last === slot) return true;
    this.#put(place, last);
    this.#up(place);
    this.#down(this.#places.get(last)!);
    return true;
  }

  #isBefore(one: number, other: number): boolean {
    const first = this.#keyOf(one);
    const second = this.#keyOf(other);
    return first < second || (first === second && this.#tieOf(one) < this.#tieOf(other));
  }

  #put(place: number, slot: number): void {
    this.#slots[place] = slot;
    this.#places.set(slot, place);
  }

  #up(start: number): void {
    const slot = this.#slots[start]!;
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#slots[parent]!;
      if (!this.#isBefore(slot, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, slot);
  }

  #down(start: number): void {
    const slot = this.#slots[start]!;
    let place = start;
    for (;;) {
      const child = this.#smallerChild(place);
      if (child === -1 || !this.#isBefore(this.#slots[child]!, slot)) break;
      this.#put(place, this.#slots[child]!);
      place = child;
    }
    this.#put(place, slot);
  }

  #smallerChild(place: number): number {
    const left = 2 * place + 1;
    const right = left + 1;
    if (left >= this.#slots.length) return -1;
    if (right >= this.#slots.length) return left;
    return this.#isBefore(this.#slots[right]!, this.#slots[left]!) ? right : left;
  }
}
