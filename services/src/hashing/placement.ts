/** What the pool knows of an engine: chains held, and iterations left of all of them. */
export interface EngineLoad {
  readonly chains: number;
  readonly iterationsLeft: number;
}

/** Chains to move from one engine to another. */
export interface Move {
  readonly from: number;
  readonly to: number;
  readonly chains: number;
}

/**
 * Which engine gets the next chain: while lanes are free, the one with the fewest chains, since a lane runs faster in
 * lonelier company; when all lanes are taken, the one with the least work left.
 */
export function engineFor(loads: readonly EngineLoad[], lanes: number): number {
  const free = loads.some((load) => load.chains < lanes);
  const measure = (load: EngineLoad): number => (free ? load.chains : load.iterationsLeft);
  return loads.reduce((best, load, i) => (measure(load) < measure(loads[best]!) ? i : best), 0);
}

/** The most chains moved at once. */
const MAX_MOVED = 1_024;

/**
 * The move that helps most, or null: half the difference between the engine with the most chains and the one with the
 * fewest, when the latter has free lanes.
 */
export function nextMove(loads: readonly EngineLoad[], lanes: number): Move | null {
  const by = (better: (a: number, b: number) => boolean): number =>
    loads.reduce((best, load, i) => (better(load.chains, loads[best]!.chains) ? i : best), 0);
  const to = by((a, b) => a < b);
  const from = by((a, b) => a > b);
  if (loads[to]!.chains >= lanes) return null;
  const chains = Math.min(MAX_MOVED, Math.floor((loads[from]!.chains - loads[to]!.chains) / 2));
  return chains > 0 ? { from, to, chains } : null;
}
