import type { BackendName } from '../ports/hasher.ts';

/** Starts a bench thread. */
export interface BenchData {
  readonly backend: BackendName;
}

/** Asks a bench thread to hash this many chains for this long. */
export interface BenchOrder {
  readonly chains: number;
  readonly ms: number;
}

/** The first message says how many lanes the kernel has; the others, what came of an order. */
export type BenchReport =
  | { readonly kind: 'ready'; readonly lanes: number }
  | { readonly kind: 'measured'; readonly iterationsPerSecond: number };
