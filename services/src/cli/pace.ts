/** The span over which the pace is measured, in milliseconds. */
const WINDOW_MS = 5_000;

interface Sample {
  readonly at: number;
  readonly position: number;
}

/** Learns how fast something moves from where it stood when: over the last 5 s, or over all there is when it is less. */
export class Pace {
  #samples: Sample[] = [];

  /** `at` in milliseconds, never going back. A position that goes back begins anew. */
  add(at: number, position: number): void {
    const last = this.#samples.at(-1);
    if (last && position < last.position) this.#samples = [];
    this.#samples.push({ at, position });
    const since = at - WINDOW_MS;
    while (this.#samples.length > 2 && this.#samples[1]!.at <= since) this.#samples.shift();
    // Many samples in a short time: every second one is as good.
    if (this.#samples.length > 256) this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
  }

  /** Per second; null while unknown. */
  rate(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at || last.position <= first.position) return null;
    return ((last.position - first.position) * 1_000) / (last.at - first.at);
  }
}
