import { cpuInfo, engineCount } from '../hashing/cpu.ts';
import { EnginePool } from '../hashing/engine-pool.ts';
import { createInlineHasher } from '../hashing/inline.ts';
import { availableBackends, chooseBackend, openKernel, type BackendChoice } from '../hashing/select.ts';
import type { Hasher, InlineHasher } from '../ports/hasher.ts';
import type { Logger } from '../ports/logger.ts';
import type { HashingSettings } from './settings.ts';

/** The engines of this machine. Throws what is wrong with the backend or the number of engines. */
export function newHasher({ backend, engines }: HashingSettings, logger: Logger): Hasher {
  const { name, reason } = choice(backend);
  const { model, features } = cpuInfo();
  const hasher = new EnginePool({
    ...{ backend: name, reason, cpu: model, features },
    engines: engineCount(engines ?? undefined),
    lanes: openKernel(name).lanes,
  });
  const { engines: count, lanes } = hasher.description;
  logger.info('Hashing', { backend: name, reason, engines: count, lanes, cpu: model });
  return hasher;
}

/** What hashes short chains at once. Throws what is wrong with the backend. */
export function newInlineHasher(backend: string | null): InlineHasher {
  return createInlineHasher(openKernel(choice(backend).name));
}

function choice(backend: string | null): BackendChoice {
  return chooseBackend({ ...availableBackends(), forced: backend ?? undefined });
}
