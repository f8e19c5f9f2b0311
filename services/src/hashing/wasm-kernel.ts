import { DIGEST_BYTES } from '../jobs/digest.ts';
import type { Kernel } from './kernel.ts';
import { createLaneKernel } from './lane-runner.ts';
import type { StepFunction } from './lane-runner.ts';
import { Emitter } from './wasm/emitter.ts';
import { kernelModule, MODULE_LANES } from './wasm/kernel-module.ts';
import type { KernelExports } from './wasm/kernel-module.ts';
import { encodeModule } from './wasm/module.ts';

/**
 * Far fewer than `CHUNK_STEPS`: V8 starts with slow code and can change to fast code only between two calls. A call
 * costs less than a thousandth of this many steps.
 */
const CHUNK_STEPS_WASM = 1_024;

/** The part of WebAssembly's JavaScript interface that is used here: TypeScript knows it only together with the DOM. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

/**
 * SHA-512 in WebAssembly: two lanes in 128-bit vectors, general registers for a lone chain.
 * Throws where `wasmRuns` is false.
 */
export function createWasmKernel(): Kernel {
  return createLaneKernel('wasm', wasmSteps());
}

/** Whether this Node has WebAssembly with 128-bit vectors. */
export function wasmRuns(): boolean {
  const api = webAssembly();
  if (api === null) return false;
  const code = new Emitter(1);
  const vector = code.local('v128');
  code.i32(0);
  code.memory('v128.load', 0);
  code.set(vector);
  return api.validate(
    encodeModule({ functions: [{ name: 'probe', code }], data: { address: 0, bytes: [] } }),
  );
}

/** Null where Node runs without it, as with `--jitless`. */
function webAssembly(): WebAssemblyApi | null {
  return (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly ?? null;
}

function wasmSteps(): StepFunction {
  const api = webAssembly();
  if (api === null) throw new Error('This Node runs without WebAssembly');
  const { exports } = new api.Instance(new api.Module(kernelModule()));
  const { memory, one, two } = exports as KernelExports;
  const bytes = new Uint8Array(memory.buffer);
  return {
    lanes: MODULE_LANES,
    chunkSteps: CHUNK_STEPS_WASM,
    load(lane, digests, offset) {
      const start = lane * DIGEST_BYTES;
      for (let i = 0; i < DIGEST_BYTES; i++) bytes[start + i] = digests[offset + i]!;
    },
    store(lane, digests, offset) {
      const start = lane * DIGEST_BYTES;
      for (let i = 0; i < DIGEST_BYTES; i++) digests[offset + i] = bytes[start + i]!;
    },
    step(live, steps) {
      if (live === 1) one(steps);
      else two(steps);
    },
  };
}
