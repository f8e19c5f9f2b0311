import { DIGEST_BYTES } from '../jobs/digest.ts';
import { digestAt, blockOf, type EngineCommand, type EngineReport } from './engine-protocol.ts';
import type { Kernel, LaneBatch } from './kernel.ts';
import { LaneQueue } from './lane-queue.ts';

/** How often chains that moved are reported, in milliseconds. */
const REPORT_MS = 200;

/** How much of a new reading of the capacity is believed. */
const CAPACITY_WEIGHT = 0.1;

/** The shortest slice worth starting, in milliseconds. */
const MIN_SLICE_MS = 5;

/** Iterations run on made-up chains to learn the capacity before there is work: about 10 ms. */
const CALIBRATION_STEPS = 30_000;

export interface EngineLoopOptions {
  readonly kernel: Kernel;
  readonly sliceMs: number;
  readonly attention: Int32Array;
  readonly now: () => number;
  readonly receive: () => EngineCommand | undefined;
  readonly send: (report: EngineReport) => void;
}

/**
 * What an engine does between two looks at its messages. It owns its thread: nothing else runs there, and commands are
 * taken in only between slices, so a chain's state is never seen half-way.
 */
export class EngineLoop {
  readonly #options: EngineLoopOptions;
  readonly #queue: LaneQueue;
  readonly #moved = new Set<number>();
  #capacity = 0;
  #iterations = 0;
  #reportedAt = 0;
  #stopped = false;

  constructor(options: EngineLoopOptions) {
    this.#options = options;
    this.#queue = new LaneQueue(options.kernel.lanes);
  }

  /** Learns the capacity and says that the engine is ready. */
  begin(): void {
    const { kernel, now, send } = this.#options;
    const trial = new LaneQueue(kernel.lanes);
    for (let lane = 0; lane < kernel.lanes; lane++)
      trial.add(lane, new Uint8Array(DIGEST_BYTES), CALIBRATION_STEPS, lane);
    const start = now();
    const iterations = kernel.run(trial.select(0), Infinity, new Int32Array(1));
    this.#capacity = (iterations * 1_000) / Math.max(now() - start, 0.1);
    send({ kind: 'ready', lanes: kernel.lanes, capacity: this.#capacity });
  }

  /** Takes in what has been said. True when the engine has been told to stop. */
  obey(): boolean {
    for (let command = this.#options.receive(); command; command = this.#options.receive())
      this.#apply(command);
    return this.#stopped;
  }

  /** True when there is nothing to hash. */
  get idle(): boolean {
    return this.#queue.size === 0;
  }

  /** Runs one slice and reports what has ended, and from time to time what has moved. */
  slice(): void {
    const { kernel, sliceMs, attention, now } = this.#options;
    const batch = this.#queue.select((this.#capacity * sliceMs) / 1_000);
    const start = now();
    const iterations = kernel.run(batch, this.#budgetMs(batch), attention);
    const elapsed = now() - start;
    this.#iterations += iterations;
    const { ended, moved } = this.#queue.settle(batch);
    if (ended.length === 0 && batch.count >= kernel.lanes && elapsed > 1)
      this.#learn((iterations * 1_000) / elapsed);
    for (const ref of moved) this.#moved.add(ref);
    this.#report(ended);
  }

  /**
   * A slice ends about when its shortest chain does, so that nobody waits for the end of a slice to hear of it; but not
   * so soon that many tiny chains would need a slice each.
   */
  #budgetMs({ remaining, order, count }: LaneBatch): number {
    const { kernel, sliceMs } = this.#options;
    const shortest = order
      .subarray(0, count)
      .reduce((least, slot) => Math.min(least, remaining[slot]!), Infinity);
    const stepMs = (kernel.lanes * 1_000) / Math.max(1, this.#capacity);
    return Math.min(sliceMs, Math.max(MIN_SLICE_MS, shortest * stepMs));
  }

  #learn(reading: number): void {
    this.#capacity += (reading - this.#capacity) * CAPACITY_WEIGHT;
  }

  #report(endedRefs: readonly number[]): void {
    const now = this.#options.now();
    const due = now - this.#reportedAt >= REPORT_MS;
    if (endedRefs.length === 0 && !due) return;
    const ended = endedRefs.length > 0 ? blockOf(this.#queue, endedRefs) : null;
    for (const ref of endedRefs) this.#forget(ref);
    const moved = due && this.#moved.size > 0 ? blockOf(this.#queue, [...this.#moved]) : null;
    if (due) {
      this.#moved.clear();
      this.#reportedAt = now;
    }
    this.#options.send({
      kind: 'slice',
      ended,
      moved,
      iterations: this.#iterations,
      capacity: this.#capacity,
    });
    this.#iterations = 0;
  }

  #apply(command: EngineCommand): void {
    if (command.kind === 'stop') {
      this.#stopped = true;
    } else if (command.kind === 'add') {
      const { chains, ages } = command;
      chains.refs.forEach((ref, i) =>
        this.#queue.add(ref, digestAt(chains, i), chains.remaining[i]!, ages[i]!),
      );
    } else {
      const chains = blockOf(this.#queue, command.refs);
      for (const ref of command.refs) this.#forget(ref);
      this.#options.send({ kind: 'removed', request: command.request, chains });
    }
  }

  #forget(ref: number): void {
    this.#queue.delete(ref);
    this.#moved.delete(ref);
  }
}
