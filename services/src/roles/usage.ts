import type { Clock } from '../ports/clock.ts';
import { cpuShare, readCpu } from '../runtime/cpu-usage.ts';
import { diskSpace } from '../runtime/disk.ts';
import type { Usage } from '../worker/deps.ts';

/**
 * Reads what this process uses: the CPU since the last reading, as a share of `cores`, and the disk of its data. A disk
 * that cannot be read is unknown, never zero.
 */
export function usageReader(clock: Clock, cores: number, dataDir: string): () => Promise<Usage> {
  let last = readCpu(clock);
  return async () => {
    const now = readCpu(clock);
    const cpu = cpuShare(last, now, cores);
    last = now;
    return { cpu, disk: await diskSpace(dataDir).catch(() => null) };
  };
}
