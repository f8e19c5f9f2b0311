import { settlesWithin } from '../../runtime/deadline.ts';

const AGAIN_MS = 250;

/** What has not been saved yet, and what has. */
export interface Unsaved {
  unsaved(): Map<number, number>;
  saved(offsets: ReadonlyMap<number, number>): void;
}

/**
 * Tells Kafka how far a group has got. What is committed while a request is under way goes with the next one. A failure
 * is tried again as long as there is something to save: until then, at worst, messages come twice.
 */
export class OffsetSaver {
  readonly #offsets: Unsaved;
  readonly #save: (offsets: ReadonlyMap<number, number>) => Promise<void>;
  #saving: Promise<void> | null = null;
  #again: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param save its limits are its own */
  constructor(offsets: Unsaved, save: (offsets: ReadonlyMap<number, number>) => Promise<void>) {
    this.#offsets = offsets;
    this.#save = save;
  }

  /** There may be something to save. */
  look(): void {
    this.#saving ??= this.#run().finally(() => {
      this.#saving = null;
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      const offsets = this.#offsets.unsaved();
      if (offsets.size === 0) return;
      try {
        await this.#save(offsets);
        this.#offsets.saved(offsets);
      } catch {
        // The session that could not save ends by itself, and says why.
        this.#later();
        return;
      }
    }
  }

  #later(): void {
    if (this.#again || this.#closed) return;
    this.#again = setTimeout(() => {
      this.#again = null;
      this.look();
    }, AGAIN_MS);
  }

  /** Waits for a request that is under way, at most `ms`, and makes no more. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    if (this.#again) clearTimeout(this.#again);
    if (this.#saving) await settlesWithin(this.#saving, ms);
  }
}
