import { DIGEST_BYTES } from '../jobs/digest.ts';
import { IndexedHeap } from './indexed-heap.ts';
import type { LaneBatch } from './kernel.ts';

/** The share of the lane time that goes to the oldest chain, whatever is shorter: one part in 8. */
const AGEING_SHARE = 8;

/** The most chains offered to one slice. */
const MAX_ORDER = 1_024;

const FIRST_CAPACITY = 64;

/**
 * The chains of one engine and the decision which of them run next: the shortest remaining work first, of equal ones the
 * oldest, and an eighth of the lane time for the oldest, so that short chains never wait for long ones and no chain waits
 * for ever.
 */
export class LaneQueue {
  readonly #lanes: number;
  #digests = new Uint8Array(FIRST_CAPACITY * DIGEST_BYTES);
  #remaining = new Float64Array(FIRST_CAPACITY);
  #age = new Float64Array(FIRST_CAPACITY);
  #refs = new Float64Array(FIRST_CAPACITY);
  readonly #free: number[] = [];
  #used = 0;
  readonly #slotOf = new Map<number, number>();
  /** Of equal ones the older goes first: otherwise those that come later could keep it waiting. */
  readonly #byRemaining = new IndexedHeap(
    (slot) => this.#remaining[slot]!,
    (slot) => this.#age[slot]!,
  );
  readonly #byAge = new IndexedHeap((slot) => this.#age[slot]!);
  readonly #order = new Uint32Array(MAX_ORDER);
  readonly #before = new Float64Array(MAX_ORDER);
  #slices = 0;

  /** @param lanes chains that the kernel advances at once */
  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  /** Chains held. */
  get size(): number {
    return this.#slotOf.size;
  }

  /**
   * Takes a chain in.
   * @param ref the caller's number for it
   * @param digest 64 bytes, copied
   * @param remaining iterations left
   * @param age when it came; smaller is older
   */
  add(ref: number, digest: Uint8Array, remaining: number, age: number): void {
    const slot = this.#free.pop() ?? this.#grow();
    this.#digests.set(digest, slot * DIGEST_BYTES);
    this.#remaining[slot] = remaining;
    this.#age[slot] = age;
    this.#refs[slot] = ref;
    this.#slotOf.set(ref, slot);
    this.#byRemaining.push(slot);
    this.#byAge.push(slot);
  }

  /** Forgets a chain; false when it is not held. */
  delete(ref: number): boolean {
    const slot = this.#slotOf.get(ref);
    if (slot === undefined) return false;
    this.#slotOf.delete(ref);
    this.#byRemaining.delete(slot);
    this.#byAge.delete(slot);
    this.#free.push(slot);
    return true;
  }

  /** Where a chain stands, or null when it is not held. The digest is a view, good until the next call. */
  stateOf(ref: number): { readonly digest: Uint8Array; readonly remaining: number } | null {
    const slot = this.#slotOf.get(ref);
    if (slot === undefined) return null;
    const digest = this.#digests.subarray(slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES);
    return { digest, remaining: this.#remaining[slot]! };
  }

  /**
   * The chains of the next slice, in the order in which lanes should take them: enough for `iterations` iterations in
   * all, and for every lane.
   */
  select(iterations: number): LaneBatch {
    let count = 0;
    let work = 0;
    const oldest = this.#turnOfTheOldest() ? this.#byAge.peek() : undefined;
    if (oldest !== undefined) {
      this.#byRemaining.delete(oldest);
      this.#order[count++] = oldest;
    }
    while (count < MAX_ORDER && (work < iterations || count < this.#lanes)) {
      const slot = this.#byRemaining.pop();
      if (slot === undefined) break;
      work += this.#remaining[slot]!;
      this.#order[count++] = slot;
    }
    for (let i = 0; i < count; i++) this.#before[i] = this.#remaining[this.#order[i]!]!;
    this.#slices++;
    return { digests: this.#digests, remaining: this.#remaining, order: this.#order, count };
  }

  /** After the slice: sorts its chains in again, and gives the refs of those that have ended and of those that moved. */
  settle(batch: LaneBatch): { readonly ended: number[]; readonly moved: number[] } {
    const ended: number[] = [];
    const moved: number[] = [];
    for (let i = 0; i < batch.count; i++) {
      const slot = batch.order[i]!;
      const left = this.#remaining[slot]!;
      this.#byRemaining.push(slot);
      if (left === 0) ended.push(this.#refs[slot]!);
      else if (left !== this.#before[i]) moved.push(this.#refs[slot]!);
    }
    return { ended, moved };
  }

  /** With 8 lanes or more the oldest chain always has one; with fewer it has one in every so many slices. */
  #turnOfTheOldest(): boolean {
    return this.#slices % Math.max(1, Math.round(AGEING_SHARE / this.#lanes)) === 0;
  }

  #grow(): number {
    if (this.#used === this.#remaining.length) {
      this.#digests = enlarged(this.#digests, (n) => new Uint8Array(n));
      this.#remaining = enlarged(this.#remaining, (n) => new Float64Array(n));
      this.#age = enlarged(this.#age, (n) => new Float64Array(n));
      this.#refs = enlarged(this.#refs, (n) => new Float64Array(n));
    }
    return this.#used++;
  }
}

function enlarged<T extends Uint8Array | Float64Array>(from: T, make: (length: number) => T): T {
  const to = make(from.length * 2);
  to.set(from);
  return to;
}
