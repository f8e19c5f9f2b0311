import type { Reply } from './protocol.ts';

/**
 * What keeps the file from being written. Reads say nothing about that: they succeed on a full disk, too. Neither does one
 * small write, which may fit where the log had room left: there must be space again as well.
 */
export class WriteHealth {
  readonly #hasSpace: () => boolean;
  #trouble: string | null;

  /** `trouble`: what is known to be wrong at the start. */
  constructor(hasSpace: () => boolean, trouble: string | null) {
    this.#hasSpace = hasSpace;
    this.#trouble = trouble;
  }

  /** What is wrong after these replies, `wrote`: of which some have changed the file; null when all is well. */
  after(replies: readonly Reply[], wrote: boolean): string | null {
    const failed = replies.findLast((reply) => 'failure' in reply);
    if (failed) this.#trouble = failed.failure;
    else if (this.#trouble !== null && wrote && this.#hasSpace()) this.#trouble = null;
    return this.#trouble;
  }
}
