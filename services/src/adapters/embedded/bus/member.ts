import type { Logger } from '../../../ports/logger.ts';

const FIRST_REST_MS = 50;
const LONGEST_REST_MS = 5_000;

/** A batch in the hands of a member. */
interface Held<M> {
  readonly messages: readonly M[];
}

export interface MemberOptions<M> {
  readonly maxBatch: number;
  /** Whether a batch stays in hand until it is committed; otherwise it is dealt with when the handler says so. */
  readonly commits: boolean;
  readonly logger: Logger;
  readonly handle: (messages: readonly M[], commit: () => Promise<void>) => Promise<void>;
}

/** What a member needs of its channel. */
export interface Home<M> {
  /** Messages that this member will not deal with. */
  giveBack(messages: readonly M[]): void;
  /** The member may be able to take more, or something has come back. */
  wake(): void;
}

/** How long to rest after so many failures in a row. Random, so that members do not come back together. */
export function restMs(failures: number, random: number): number {
  const most = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (failures - 1));
  return most * (0.5 + random / 2);
}

/** One subscriber: hands batches to its handler, one at a time, and remembers what is not dealt with. */
export class Member<M> {
  readonly maxBatch: number;
  readonly #options: MemberOptions<M>;
  readonly #home: Home<M>;
  readonly #hands = new Set<Held<M>>();
  #paused = false;
  #failures = 0;
  #working: Promise<void> | null = null;
  #resting: NodeJS.Timeout | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: MemberOptions<M>, home: Home<M>) {
    this.maxBatch = options.maxBatch;
    this.#options = options;
    this.#home = home;
  }

  get free(): boolean {
    return !this.#paused && !this.#working && !this.#resting && !this.#closed;
  }

  /** Messages that may come back. */
  get inHands(): number {
    let sum = 0;
    for (const { messages } of this.#hands) sum += messages.length;
    return sum;
  }

  /** Only for a member that is free. */
  take(messages: readonly M[]): void {
    const held = { messages };
    this.#hands.add(held);
    this.#working = this.#work(held).finally(() => {
      this.#working = null;
      this.#home.wake();
    });
  }

  async #work(held: Held<M>): Promise<void> {
    const commit = async (): Promise<void> => {
      this.#hands.delete(held);
    };
    try {
      await this.#options.handle(held.messages, commit);
      this.#failures = 0;
      if (!this.#options.commits) this.#hands.delete(held);
    } catch (error) {
      this.#failed(held, error);
    }
  }

  #failed(held: Held<M>, error: unknown): void {
    const rest = restMs(++this.#failures, Math.random());
    const again = this.#hands.delete(held);
    if (again) this.#home.giveBack(held.messages);
    const fields = {
      messages: held.messages.length,
      again,
      failures: this.#failures,
      restMs: Math.round(rest),
    };
    this.#options.logger.warn('bus handler failed', { ...fields, error });
    this.#resting = setTimeout(() => {
      this.#resting = null;
      this.#home.wake();
    }, rest);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#home.wake();
  }

  /** Waits for the handler; then what is not dealt with goes back, in its order. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    await this.#working;
    if (this.#resting) clearTimeout(this.#resting);
    this.#resting = null;
    const left = [...this.#hands].flatMap(({ messages }) => messages);
    this.#hands.clear();
    this.#home.giveBack(left);
  }
}
