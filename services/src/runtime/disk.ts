import { statfs } from 'node:fs/promises';

/** Bytes of the file system that holds a path. */
export interface DiskSpace {
  /** What this process may still write. */
  readonly free: number;
  /** What processes like this one may use in all: what is set aside for root is not theirs, as `df` counts it. */
  readonly total: number;
}

/** Bytes free and in all where `path` is. Rejects as `statfs` does, e.g. with `ENOENT`. */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const { bavail, bfree, blocks, bsize } = await statfs(path);
  const used = blocks - bfree;
  return { free: bavail * bsize, total: (used + bavail) * bsize };
}
