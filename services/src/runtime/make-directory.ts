import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing, with this mode. Throws what `mkdir(2)` says of the first that
 * cannot be made. Each directory is tried twice at most: `mkdirSync` with `recursive` never returns where a file system
 * answers ENOENT for a directory whose parent exists, as /proc does.
 */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    make(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    makeDirectory(parent, mode);
    make(path, mode);
  }
}

function make(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}
