import { cpuInfo, engineCount } from '../hashing/cpu.ts';
import { EnginePool } from '../hashing/engine-pool.ts';
import { availableBackends, chooseBackend, openKernel } from '../hashing/select.ts';
import type { Hasher } from '../ports/hasher.ts';

/**
 * The engines of this machine. Throws what is wrong with the backend or the number of engines.
 * @param backend to force; null: the fastest that runs here
 * @param engines null: one per core that this process may use
 */
export function newHasher(backend: string | null, engines: number | null): Hasher {
  const { name, reason } = chooseBackend({ ...availableBackends(), forced: backend ?? undefined });
  const { model, features } = cpuInfo();
  return new EnginePool({
    ...{ backend: name, reason, cpu: model, features },
    engines: engineCount(engines ?? undefined),
    lanes: openKernel(name).lanes,
  });
}
