import type { Clock } from '../ports/clock.ts';

/** CPU time that this process has used, and when that was read. */
export interface CpuReading {
  /** User and system time of all threads, in milliseconds. */
  readonly usedMs: number;
  /** By `Clock.monotonic`. */
  readonly atMs: number;
}

/** Reads the CPU time of the process, with all its threads. */
export function readCpu(clock: Clock): CpuReading {
  const { user, system } = process.cpuUsage();
  return { usedMs: (user + system) / 1000, atMs: clock.monotonic() };
}

/** The share (0 … 1) of `cores` cores that was used between two readings; 0 when no time passed. */
export function cpuShare(before: CpuReading, after: CpuReading, cores: number): number {
  const available = (after.atMs - before.atMs) * cores;
  if (!(available > 0)) return 0;
  return Math.min(1, Math.max(0, (after.usedMs - before.usedMs) / available));
}
