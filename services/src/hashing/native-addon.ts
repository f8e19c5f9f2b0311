import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { BackendName } from '../ports/hasher.ts';

/** The backends that the addon can have; which of them run depends on the processor. */
export type NativeBackend = Exclude<BackendName, 'wasm' | 'node'>;

/** What `services/native/addon.c` exports. */
interface NativeExports {
  features(): string[];
  backends(): NativeBackend[];
  lanes(backend: NativeBackend): number;
  run(
    backend: NativeBackend,
    digests: Uint8Array,
    remaining: Float64Array,
    order: Uint32Array,
    count: number,
    budgetMs: number,
    attention: Int32Array,
  ): number;
}

/**
 * The native kernels. Every function throws TypeError for an argument of the wrong type, RangeError for a value out of
 * range and for a backend that this processor cannot run; nothing is changed then. All arrays may be shared memory.
 */
export interface NativeAddon extends NativeExports {
  /** The processor's features that decide which backends there are. */
  features(): string[];
  /** The backends that this processor can run, the fastest first. */
  backends(): NativeBackend[];
  /** Chains that a backend advances at once. */
  lanes(backend: NativeBackend): number;
  /** See `Kernel.run`. A chain that `order` names twice is counted twice, but stays right. */
  run: NativeExports['run'];
  /**
   * Advances chain i by `steps[i]` iterations, in place, without a pause: for short chains.
   * @param digests 64 bytes per chain.
   */
  iterate(backend: NativeBackend, digests: Uint8Array, steps: Float64Array): void;
}

/** The same place for the sources and for what is compiled from them. */
const ADDON = fileURLToPath(new URL('../../native/build/hashcluster.node', import.meta.url));

/**
 * The addon, or null where it was not built or cannot be loaded: `because` then hears why, in one plain sentence.
 * Can be called in any number of threads.
 */
export function loadNativeAddon(because: (reason: string) => void = () => undefined): NativeAddon | null {
  return loadFrom(ADDON, because);
}

/** As `loadNativeAddon`, from a file. */
export function loadFrom(path: string, because: (reason: string) => void): NativeAddon | null {
  if (!existsSync(path)) {
    because('the native kernels are not built: that takes a C compiler and `npm run build`');
    return null;
  }
  try {
    const exports = createRequire(import.meta.url)(path) as NativeExports;
    return { ...exports, iterate: iterateBy(exports) };
  } catch (error) {
    because(`the native kernels cannot be loaded: ${(error as Error).message}`);
    return null;
  }
}

function iterateBy(native: NativeExports): NativeAddon['iterate'] {
  return (backend, digests, steps) => {
    const chains = digests.length / DIGEST_BYTES;
    const order = Uint32Array.from({ length: Math.floor(chains) }, (_, i) => i);
    const quiet = new Int32Array(1);
    native.run(backend, digests, steps.slice(), order, order.length, Number.POSITIVE_INFINITY, quiet);
  };
}
