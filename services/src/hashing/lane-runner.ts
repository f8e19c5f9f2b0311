import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { BackendName } from '../ports/hasher.ts';
import type { Kernel, LaneBatch } from './kernel.ts';

/** Hashes the chains that are in its lanes, and knows nothing of jobs, clocks or counts. */
export interface StepFunction {
  readonly lanes: number;
  /** Steps between two looks at the clock: about a millisecond, and at most `CHUNK_STEPS`. */
  readonly chunkSteps: number;
  /** Puts the digest (64 bytes) that stands at `offset` into a lane. */
  load(lane: number, digests: Uint8Array, offset: number): void;
  /** Writes a lane's digest to `offset`. */
  store(lane: number, digests: Uint8Array, offset: number): void;
  /** Advances the first `live` lanes by `steps` iterations each; both are at least 1. */
  step(live: number, steps: number): void;
}

/** A kernel around a step function: fills lanes, refills them as chains finish, and stops when it must. */
export function createLaneKernel(name: BackendName, lanes: StepFunction): Kernel {
  return {
    name,
    lanes: lanes.lanes,
    run: (batch, budgetMs, attention) => new LaneRun(lanes, batch).until(budgetMs, attention),
  };
}

/** One call of `run`. Live chains are always in the first lanes. */
class LaneRun {
  readonly #lanes: StepFunction;
  readonly #batch: LaneBatch;
  /** Which chain each lane has. */
  readonly #chains: number[] = [];
  /** The next entry of `order`. */
  #next = 0;

  constructor(lanes: StepFunction, batch: LaneBatch) {
    this.#lanes = lanes;
    this.#batch = batch;
  }

  /** @returns the iterations done. */
  until(budgetMs: number, attention: Int32Array): number {
    const deadline = performance.now() + budgetMs;
    let done = 0;
    let sinceLook = 0;
    this.#fill();
    while (this.#chains.length > 0) {
      const steps = this.#steps(this.#lanes.chunkSteps - sinceLook);
      this.#lanes.step(this.#chains.length, steps);
      done += steps * this.#chains.length;
      sinceLook += steps;
      this.#account(steps);
      if (sinceLook < this.#lanes.chunkSteps) continue;
      if (Atomics.load(attention, 0) !== 0 || performance.now() >= deadline) break;
      sinceLook = 0;
    }
    for (let lane = 0; lane < this.#chains.length; lane++) this.#store(lane);
    return done;
  }

  /** As many steps as every lane still has, and no more than `most`. Anything but whole steps would never end. */
  #steps(most: number): number {
    let steps = most;
    for (const chain of this.#chains) steps = Math.min(steps, this.#batch.remaining[chain]!);
    if (Number.isInteger(steps) && steps >= 1) return steps;
    throw new RangeError('Each chain can be ordered once, and what remains is an integer of 0 … 2^53−1');
  }

  /** Takes what was done off what remains; chains that are finished make room for others. */
  #account(steps: number): void {
    const { remaining } = this.#batch;
    // From the last lane, because a lane that is given up is filled from there.
    for (let lane = this.#chains.length - 1; lane >= 0; lane--) {
      const chain = this.#chains[lane]!;
      remaining[chain]! -= steps;
      if (remaining[chain] === 0) this.#replace(lane);
    }
  }

  #replace(lane: number): void {
    this.#store(lane);
    const next = this.#take();
    if (next !== null) {
      this.#load(lane, next);
      return;
    }
    const last = this.#chains.length - 1;
    if (lane < last) {
      this.#store(last);
      this.#load(lane, this.#chains[last]!);
    }
    this.#chains.pop();
  }

  #fill(): void {
    while (this.#chains.length < this.#lanes.lanes) {
      const chain = this.#take();
      if (chain === null) return;
      this.#load(this.#chains.length, chain);
    }
  }

  /** The next chain that has something left to do. */
  #take(): number | null {
    const { order, count, remaining } = this.#batch;
    while (this.#next < count) {
      const chain = order[this.#next++]!;
      if (remaining[chain]! > 0) return chain;
    }
    return null;
  }

  #load(lane: number, chain: number): void {
    this.#lanes.load(lane, this.#batch.digests, chain * DIGEST_BYTES);
    this.#chains[lane] = chain;
  }

  #store(lane: number): void {
    this.#lanes.store(lane, this.#batch.digests, this.#chains[lane]! * DIGEST_BYTES);
  }
}
