import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

export interface CpuInfo {
  /** As the processor names itself, or `unknown`. */
  readonly model: string;
  /** The instruction sets that matter for hashing, by the kernel's names; empty where the system does not tell. */
  readonly features: readonly string[];
}

/** The text of a file, or null where there is none to read. */
export type ReadText = (path: string) => string | null;

/** More engines than this are a mistake in the settings. */
const MAX_ENGINES = 1_024;

/** Vectors, bit manipulation and hashing: x86 and Arm. */
const RELEVANT = /^(ssse3|sse\d|sse4_\d|avx\w*|bmi\d|adx|sha_ni|sha[235]\w*|asimd|sve\w*)$/;

export function cpuInfo(): CpuInfo {
  const model = cpus()[0]?.model.trim() ?? '';
  return { model: model === '' ? 'unknown' : model, features: cpuFeatures(readText('/proc/cpuinfo') ?? '') };
}

/** The features that matter, from the text of Linux's `/proc/cpuinfo`. */
export function cpuFeatures(cpuinfo: string): string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  return line.split(/\s+/).filter((feature) => RELEVANT.test(feature));
}

/**
 * How many engines to run: `override`, or as many cores as this process may really use.
 * Throws RangeError for an override that is no integer of 1 … 1,024.
 */
export function engineCount(override?: number): number {
  if (override === undefined) return usableCores(availableParallelism(), cgroupCores(readText));
  if (Number.isInteger(override) && override >= 1 && override <= MAX_ENGINES) return override;
  throw new RangeError(`The number of engines is an integer of 1 to ${MAX_ENGINES}, but this is ${override}`);
}

/** The smaller of the cores that the system offers and the quota (Infinity: none). A part of a core counts as one. */
export function usableCores(offered: number, quota: number): number {
  return Math.max(1, Math.min(offered, Math.ceil(quota)));
}

/**
 * How many cores' time the control groups of this process leave it, by the strictest of them; Infinity without a limit.
 * Source: Linux admin-guide, cgroup-v2 "cpu.max"; scheduler/sched-bwc for version 1.
 */
export function cgroupCores(read: ReadText): number {
  const limits = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers === '') return folders(path).map((folder) => quota2(read, `/sys/fs/cgroup${folder}`));
    if (!controllers.split(',').includes('cpu')) return [];
    return folders(path).flatMap((folder) =>
      [controllers, 'cpu'].map((mount) => quota1(read, `/sys/fs/cgroup/${mount}${folder}`)),
    );
  });
  return Math.min(Number.POSITIVE_INFINITY, ...limits);
}

/**
 * A group's folder and all above it: each may have a limit of its own. Inside a container the path may be that of the
 * host, whose folders are not there; the container's own group is then at the top.
 */
function folders(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['', ...parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)];
}

/** Version 2: `cpu.max` is "quota period", in microseconds; "max" is no limit. */
function quota2(read: ReadText, folder: string): number {
  const [quota, period] = (read(`${folder}/cpu.max`) ?? '').trim().split(/\s+/);
  return ratio(quota, period);
}

/** Version 1: two files; a quota of -1 is no limit. */
function quota1(read: ReadText, folder: string): number {
  return ratio(read(`${folder}/cpu.cfs_quota_us`)?.trim(), read(`${folder}/cpu.cfs_period_us`)?.trim());
}

function ratio(quota: string | undefined, period: string | undefined): number {
  const cores = Number(quota) / Number(period);
  return Number(quota) > 0 && Number.isFinite(cores) ? cores : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Another system, another version, or a folder that is not shown here: no limit to be read.
    return null;
  }
}
