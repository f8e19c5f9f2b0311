import { refuse } from '../problems.ts';

/** What requests hold is mostly objects, so the heap bounds it as well, and others need most of that. */
const SHARE_OF_HEAP = 0.4;

/** The budget for what requests hold, in bytes: what the settings grant, and no more than a part of the heap's limit. */
export function heldLimit(maxHeldBytes: number, heapLimit: number): number {
  return Math.min(maxHeldBytes, Math.floor(heapLimit * SHARE_OF_HEAP));
}

/** Counts what all requests together hold in memory, so that many large ones cannot exhaust it. */
export class HeldBytes {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** A holder starts with nothing. */
  holder(): Holder {
    let own = 0;
    return {
      take: (bytes) => {
        if (this.#held + bytes > this.#limit)
          refuse('overloaded', 'Too much data of requests is held in memory. Try again in a moment.');
        own += bytes;
        this.#held += bytes;
      },
      give: (bytes) => {
        own -= bytes;
        this.#held -= bytes;
      },
      giveAll: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}

/** What one request holds. */
export interface Holder {
  /** Throws `overloaded` when that is too much for all together. */
  take(bytes: number): void;
  give(bytes: number): void;
  giveAll(): void;
}
