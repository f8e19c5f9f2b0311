import type { Kernel } from './kernel.ts';
import type { NativeAddon, NativeBackend } from './native-addon.ts';

/** A native backend as a kernel. Throws RangeError where this processor cannot run it. */
export function createNativeKernel(addon: NativeAddon, name: NativeBackend): Kernel {
  return {
    name,
    lanes: addon.lanes(name),
    run: ({ digests, remaining, order, count }, budgetMs, attention) =>
      addon.run(name, digests, remaining, order, count, budgetMs, attention),
  };
}
