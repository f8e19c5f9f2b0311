import { statfs } from 'node:fs/promises';

/** Bytes of the file system that holds a path. */
export interface DiskSpace {
  /** What this process may still write. */
  readonly free: number;
  readonly total: number;
}

/** Bytes free and in all where `path` is. Rejects as `statfs` does, e.g. with `ENOENT`. */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { free: bavail * bsize, total: blocks * bsize };
}
