/** Offsets from `from` up to, and without, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * How far one partition is dealt with. Spans are handed out in order; they may be committed in any order, but Kafka keeps
 * one number: everything before it is dealt with. So that number moves only over what was committed without a gap.
 */
export class Ledger {
  #low: number;
  #saved: number;
  #handed: number;
  /** Committed spans beyond the first gap, in order. */
  #beyond: Span[] = [];

  /** `from` is where Kafka says that the group stands. */
  constructor(from: number) {
    this.#low = this.#saved = this.#handed = from;
  }

  /** Hands out everything up to, and without, `to`. */
  handOut(to: number): Span {
    const span = { from: this.#handed, to };
    this.#handed = to;
    return span;
  }

  /** The span that was handed out last comes back, and will be handed out again. */
  giveBack({ from }: Span): void {
    this.#handed = from;
  }

  /** Again, or in parts, is no harm. */
  commit(span: Span): void {
    if (span.from > this.#low) {
      this.#keep(span);
      return;
    }
    this.#low = Math.max(this.#low, span.to);
    while (this.#beyond[0] && this.#beyond[0].from <= this.#low) {
      this.#low = Math.max(this.#low, this.#beyond.shift()!.to);
    }
  }

  #keep(span: Span): void {
    const last = this.#beyond.at(-1);
    if (last?.to === span.from) {
      this.#beyond[this.#beyond.length - 1] = { from: last.from, to: span.to };
      return;
    }
    const at = this.#beyond.findIndex(({ from }) => from > span.from);
    this.#beyond.splice(at < 0 ? this.#beyond.length : at, 0, span);
  }

  /** What Kafka should be told; null when it knows. */
  get unsaved(): number | null {
    return this.#low > this.#saved ? this.#low : null;
  }

  saved(offset: number): void {
    this.#saved = Math.max(this.#saved, offset);
  }
}
