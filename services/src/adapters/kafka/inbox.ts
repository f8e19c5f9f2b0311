import { Ledger, type Span } from './ledger.ts';
import type { Incoming } from './wire.ts';

/** A message that waits, and the offset after it. */
interface Waiting<M> {
  readonly message: M;
  readonly next: number;
}

/** What is ours of one partition. */
interface Shelf<M> {
  position: number;
  ledger: Ledger;
  waiting: Waiting<M>[];
}

/** Messages in the hands of a handler, and the spans of partitions that they are. */
export interface Held<M> {
  readonly messages: readonly M[];
  /** The shelf of the time when they were taken: it may be another one when they are dealt with. */
  readonly parts: readonly {
    readonly shelf: Shelf<M>;
    readonly span: Span;
    readonly taken: readonly Waiting<M>[];
  }[];
}

/** Fetched messages of all partitions that are ours, and how far each of them is dealt with. */
export class Inbox<M> {
  readonly #decode: (value: Buffer | null) => M | null | undefined;
  readonly #onBad: (partition: number, offset: number) => void;
  readonly #shelves = new Map<number, Shelf<M>>();
  /** Messages come from the partitions in turn. */
  #turn = 0;
  #size = 0;

  /** @param decode null: no message; undefined: a message that is not for us */
  constructor(
    decode: (value: Buffer | null) => M | null | undefined,
    onBad: (partition: number, offset: number) => void,
  ) {
    this.#decode = decode;
    this.#onBad = onBad;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#size;
  }

  position(partition: number): number | undefined {
    return this.#shelves.get(partition)?.position;
  }

  /** Begins anew with a partition, from there. */
  seek(partition: number, offset: number): void {
    this.#drop(partition);
    this.#shelves.set(partition, { position: offset, ledger: new Ledger(offset), waiting: [] });
  }

  /** Forgets what is not among these. */
  keep(partitions: readonly number[]): void {
    for (const partition of [...this.#shelves.keys()]) {
      if (!partitions.includes(partition)) this.#drop(partition);
    }
  }

  #drop(partition: number): void {
    this.#size -= this.#shelves.get(partition)?.waiting.length ?? 0;
    this.#shelves.delete(partition);
  }

  /** Takes in what was fetched. What is no message, or not for us, is skipped. An offset before our position begins anew from there. */
  put(partition: number, messages: readonly Incoming[]): void {
    const first = messages[0];
    if (!first) return;
    const known = this.#shelves.get(partition);
    if (!known || first.offset < known.position) this.seek(partition, first.offset);
    const shelf = this.#shelves.get(partition)!;
    for (const { offset, value } of messages) {
      shelf.position = offset + 1;
      const message = this.#decode(value);
      if (message === null) this.#onBad(partition, offset);
      if (message === null || message === undefined) continue;
      shelf.waiting.push({ message, next: offset + 1 });
      this.#size++;
    }
  }

  /** Up to `most` messages, the same share of each partition: so what was published first comes first. Null when none waits. */
  take(most: number): Held<M> | null {
    if (this.#size === 0) return null;
    const all = [...this.#shelves.values()].filter(({ waiting }) => waiting.length > 0);
    const turn = this.#turn++ % all.length;
    const shelves = [...all.slice(turn), ...all.slice(0, turn)];
    const counts = shares(
      shelves.map(({ waiting }) => waiting.length),
      most,
    );
    const parts = shelves.flatMap((shelf, i) => {
      const taken = shelf.waiting.splice(0, counts[i]);
      return taken.length === 0 ? [] : [{ shelf, span: shelf.ledger.handOut(taken.at(-1)!.next), taken }];
    });
    const messages = parts.flatMap(({ taken }) => taken.map(({ message }) => message));
    this.#size -= messages.length;
    return { messages, parts };
  }

  /** Puts the messages that were taken last back in front. Those of partitions that are not ours any more are let go. */
  giveBack({ parts }: Held<M>): void {
    for (const { shelf, span, taken } of parts) {
      if (!this.#isOurs(shelf)) continue;
      shelf.ledger.giveBack(span);
      shelf.waiting = [...taken, ...shelf.waiting];
      this.#size += taken.length;
    }
  }

  commit({ parts }: Held<M>): void {
    for (const { shelf, span } of parts) shelf.ledger.commit(span);
  }

  /** What Kafka should be told: the next offset by partition. */
  unsaved(): Map<number, number> {
    const offsets = new Map<number, number>();
    for (const [partition, { ledger }] of this.#shelves) {
      if (ledger.unsaved !== null) offsets.set(partition, ledger.unsaved);
    }
    return offsets;
  }

  /** Kafka has been told. */
  saved(offsets: ReadonlyMap<number, number>): void {
    for (const [partition, offset] of offsets) this.#shelves.get(partition)?.ledger.saved(offset);
  }

  #isOurs(shelf: Shelf<M>): boolean {
    for (const each of this.#shelves.values()) if (each === shelf) return true;
    return false;
  }
}

/**
 * How many of `most` fall to each of these sizes: the same number to all, and what small ones do not need to the others.
 * What cannot be divided goes to the first.
 */
function shares(sizes: readonly number[], most: number): number[] {
  const counts = sizes.map(() => 0);
  let left = most;
  let open = [...sizes.keys()];
  while (left > 0 && open.length > 0) {
    const share = Math.max(1, Math.floor(left / open.length));
    for (const i of open) {
      const more = Math.min(share, sizes[i]! - counts[i]!, left);
      counts[i]! += more;
      left -= more;
    }
    open = open.filter((i) => counts[i]! < sizes[i]!);
  }
  return counts;
}
