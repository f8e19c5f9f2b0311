import type { MessagePort } from 'node:worker_threads';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { BackendName } from '../ports/hasher.ts';
import type { LaneQueue } from './lane-queue.ts';

/** What an engine's thread is started with. `attention` is shared: not 0 makes the engine look at its messages. */
export interface EngineData {
  readonly backend: BackendName;
  readonly sliceMs: number;
  readonly attention: Int32Array;
  readonly port: MessagePort;
}

/** Chains as arrays side by side: number `i` has `refs[i]`, `remaining[i]` and 64 bytes of `digests`. */
export interface ChainBlock {
  readonly refs: Float64Array;
  readonly remaining: Float64Array;
  readonly digests: Uint8Array;
}

/** To an engine. `ages` are smaller for older chains. */
export type EngineCommand =
  | { readonly kind: 'add'; readonly chains: ChainBlock; readonly ages: Float64Array }
  | { readonly kind: 'remove'; readonly refs: readonly number[]; readonly request: number }
  | { readonly kind: 'stop' };

/** From an engine. */
export type EngineReport =
  | { readonly kind: 'ready'; readonly lanes: number; readonly capacity: number }
  | {
      readonly kind: 'slice';
      readonly ended: ChainBlock | null;
      readonly moved: ChainBlock | null;
      /** Iterations since the last report, and iterations per second with full lanes (an average that follows slowly). */
      readonly iterations: number;
      readonly capacity: number;
    }
  | { readonly kind: 'removed'; readonly request: number; readonly chains: ChainBlock };

/** A block with room for `count` chains. */
export function emptyBlock(count: number): ChainBlock {
  return {
    refs: new Float64Array(count),
    remaining: new Float64Array(count),
    digests: new Uint8Array(count * DIGEST_BYTES),
  };
}

/** Where these chains stand in the queue now. Chains that it does not hold are left out. */
export function blockOf(queue: LaneQueue, refs: readonly number[]): ChainBlock {
  const held = refs.filter((ref) => queue.stateOf(ref) !== null);
  const block = emptyBlock(held.length);
  held.forEach((ref, i) => {
    const state = queue.stateOf(ref)!;
    block.refs[i] = ref;
    block.remaining[i] = state.remaining;
    block.digests.set(state.digest, i * DIGEST_BYTES);
  });
  return block;
}

/** The 64 bytes of chain `i`. */
export function digestAt(block: ChainBlock, i: number): Uint8Array {
  return block.digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
}
