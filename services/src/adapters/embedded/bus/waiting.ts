/** What is left out when there is no room: what comes, or what has waited longest. */
export type Overflow = 'newest' | 'oldest';

/** Messages that wait, in order, never more than `most`. */
export class Waiting<M> {
  readonly #most: number;
  readonly #overflow: Overflow;
  #messages: M[] = [];
  /** Those before this place are taken. */
  #head = 0;

  constructor(most: number, overflow: Overflow) {
    this.#most = most;
    this.#overflow = overflow;
  }

  get size(): number {
    return this.#messages.length - this.#head;
  }

  /** Adds at the end. `elsewhere` counts as well: what was taken and may come back. Returns how many were left out. */
  add(messages: readonly M[], elsewhere: number): number {
    const most = Math.max(0, this.#most - elsewhere);
    if (this.#overflow === 'newest') {
      const room = Math.max(0, most - this.size);
      for (const message of messages.slice(0, room)) this.#messages.push(message);
      return Math.max(0, messages.length - room);
    }
    for (const message of messages.slice(-this.#most)) this.#messages.push(message);
    const excess = Math.max(0, this.size - most);
    this.take(excess);
    return excess + Math.max(0, messages.length - this.#most);
  }

  /** Takes from the front. */
  take(count: number): M[] {
    const taken = this.#messages.slice(this.#head, this.#head + count);
    this.#head += taken.length;
    // Moving the rest costs as much as there is left, so it waits until that is less than what is gained.
    if (this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** Puts back in front what was taken. */
  putBack(messages: readonly M[]): void {
    this.#messages = messages.concat(this.#messages.slice(this.#head));
    this.#head = 0;
  }
}
