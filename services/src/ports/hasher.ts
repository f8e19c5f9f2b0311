import type { ChainPoint, Digest } from '../jobs/job.ts';

/** The kernels there are; the name is what logs, health and metrics say, and what `HASH_BACKEND` forces. */
export type BackendName = 'avx512' | 'avx512vl' | 'avx2' | 'scalar' | 'portable' | 'wasm' | 'node';

/** Every backend, the fastest first. */
export const BACKENDS: readonly BackendName[] = [
  'avx512',
  'avx512vl',
  'avx2',
  'scalar',
  'portable',
  'wasm',
  'node',
];

/** A chain to be hashed from a point on it to `target`. `key` is the caller's name for it, unique among those held. */
export interface HashTask extends ChainPoint {
  readonly key: string;
  readonly target: number;
}

/** Where a chain stands. */
export interface HashState extends ChainPoint {
  readonly key: string;
}

export interface HasherDescription {
  readonly backend: BackendName;
  /** Why this backend: one plain sentence, for logs and health. */
  readonly reason: string;
  readonly cpu: string;
  readonly features: readonly string[];
  /** Engines (one per core), and chains that each advances at once. */
  readonly engines: number;
  readonly lanes: number;
}

export interface HasherLoad {
  /** Chains held, and lanes (of all engines) that have none. */
  readonly chains: number;
  readonly freeLanes: number;
  /** Iterations left of all chains held, as of the last progress. */
  readonly iterationsLeft: number;
  /** Iterations done since start. */
  readonly iterationsDone: number;
  /** Iterations per second of all engines with full lanes: measured, an estimate before the first work. */
  readonly capacity: number;
}

export interface HasherEvents {
  /** Chains that have moved since they were last reported; a few times a second. */
  progress(batch: readonly HashState[]): void;
  /** Chains that have reached their target. They are forgotten with this. */
  finished(batch: readonly HashState[]): void;
  /** An engine broke. The chains it held are lost to the hasher; nothing else can be done with it. */
  fault(error: Error): void;
}

/** Advances many chains on every core. Nothing is durable here. */
export interface Hasher {
  readonly description: HasherDescription;
  start(events: HasherEvents): Promise<void>;
  /** Stops within a slice; chains that are held are forgotten. Idempotent. */
  stop(): Promise<void>;
  /** Whether it holds a chain of this name. */
  has(key: string): boolean;
  /**
   * Takes all of the chains in, or none. Those at their target already are reported as finished. Throws on a key that is
   * held or comes twice, and `RangeError` on what is no task.
   */
  add(tasks: readonly HashTask[]): void;
  /** Gives chains back where they stand, at the end of the slice. A chain that finished meanwhile is missing here. */
  remove(keys: readonly string[]): Promise<HashState[]>;
  load(): HasherLoad;
}

/** Hashes short chains at once, on the caller's own thread. */
export interface InlineHasher {
  readonly backend: BackendName;
  /** `digests[i]` advanced by `steps[i]` iterations, for each i. */
  iterate(digests: readonly Digest[], steps: readonly number[]): Digest[];
}
