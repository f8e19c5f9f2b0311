import { BACKENDS } from '../ports/hasher.ts';
import type { BackendName } from '../ports/hasher.ts';
import type { Kernel } from './kernel.ts';
import { loadNativeAddon } from './native-addon.ts';
import type { NativeAddon } from './native-addon.ts';
import { createNativeKernel } from './native-kernel.ts';
import { createNodeKernel } from './node-kernel.ts';
import { createWasmKernel, wasmRuns } from './wasm-kernel.ts';

/** What can hash in this process. */
export interface AvailableBackends {
  readonly available: readonly BackendName[];
  /** Why there are no native kernels; null when there are. */
  readonly nativeMissing: string | null;
}

export interface BackendWish extends AvailableBackends {
  /** What `HASH_BACKEND` says; undefined or empty: the fastest. */
  readonly forced?: string | undefined;
}

export interface BackendChoice {
  readonly name: BackendName;
  /** Why this one, in plain words, for logs and health. */
  readonly reason: string;
}

/** What people call them. */
const LABELS: Readonly<Record<BackendName, string>> = {
  avx512: 'AVX-512',
  avx512vl: 'AVX-512 with 256-bit vectors',
  avx2: 'AVX2',
  scalar: 'scalar code',
  portable: 'portable C',
  wasm: 'WebAssembly',
  node: 'node:crypto',
};

/** The kernels that this processor and this installation can run. */
export function availableBackends(): AvailableBackends {
  const { addon, missing } = nativeAddon();
  const others: BackendName[] = wasmRuns() ? ['wasm', 'node'] : ['node'];
  return { available: [...(addon?.backends() ?? []), ...others], nativeMissing: missing };
}

/**
 * The fastest backend there is, or the one that is forced.
 * Throws an Error that names what can run here, where the forced one is unknown or cannot.
 */
export function chooseBackend({ forced, available, nativeMissing }: BackendWish): BackendChoice {
  const runnable = BACKENDS.filter((name) => available.includes(name));
  const [fastest = 'node'] = runnable;
  if (forced !== undefined && forced !== '') {
    const name = runnable.find((candidate) => candidate === forced);
    if (name === undefined) throw new Error(refusal(forced, runnable, nativeMissing));
    const slower = name === fastest ? '' : `; ${LABELS[fastest]} would be faster`;
    return { name, reason: `${LABELS[name]}, forced by HASH_BACKEND${slower}` };
  }
  const why =
    nativeMissing === null ? `the fastest of ${runnable.length} that run here` : `because ${nativeMissing}`;
  return { name: fastest, reason: `${LABELS[fastest]}, ${why}` };
}

/** Throws where `availableBackends` does not name it. */
export function openKernel(name: BackendName): Kernel {
  if (name === 'node') return createNodeKernel();
  if (name === 'wasm') return createWasmKernel();
  const { addon, missing } = nativeAddon();
  if (addon === null) throw new Error(`${LABELS[name]} cannot run here: ${missing}`);
  return createNativeKernel(addon, name);
}

/** The addon, or why there is none: one of the two is null. */
function nativeAddon(): { addon: NativeAddon | null; missing: string | null } {
  let missing: string | null = null;
  const addon = loadNativeAddon((reason) => {
    missing = reason;
  });
  return { addon, missing };
}

function refusal(forced: string, runnable: readonly BackendName[], nativeMissing: string | null): string {
  const known = BACKENDS.find((name) => name === forced);
  const choice = `Here it can be ${runnable.join(', ')}.`;
  if (known === undefined) return `HASH_BACKEND is "${forced}", which is no backend. ${choice}`;
  const why = known === 'wasm' ? 'this Node lacks it' : (nativeMissing ?? 'this processor lacks it');
  return `HASH_BACKEND is "${forced}", which cannot run here: ${why}. ${choice}`;
}
