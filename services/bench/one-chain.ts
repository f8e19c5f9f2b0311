import { availableBackends, chooseBackend, openKernel } from '../src/hashing/select.ts';

/** Milliseconds that one chain of so many iterations takes with a core of its own: the best of five. */
export function iterateAlone(iterations: number): number {
  const kernel = openKernel(chooseBackend(availableBackends()).name);
  const once = (): number => {
    const batch = {
      digests: new Uint8Array(64),
      remaining: Float64Array.of(iterations),
      order: new Uint32Array(1),
      count: 1,
    };
    const start = performance.now();
    kernel.run(batch, Infinity, new Int32Array(1));
    return performance.now() - start;
  };
  return Math.min(...Array.from({ length: 5 }, once));
}
