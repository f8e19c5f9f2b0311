import { rmSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from '../servers/container.ts';

const SERVICES = join(CHECKOUT, 'services');
/** A folder for each process, so that two at the same time do not disturb each other. */
const PATCHED = join(CHECKOUT, '.cache', 'patched', String(process.pid));

/** A deliberate fault: a text in a file of `services/dist` that stands there exactly once, and what stands there then. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * A copy of the built services with these patches, and its `hashcluster.js`. Without patches: a copy that stays as it is
 * while the original is built anew. Rejects when a text is not there exactly once: the code has changed, and so must the patch.
 */
export async function patchedBuild(name: string, patches: readonly Patch[]): Promise<string> {
  const folder = join(PATCHED, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const part of ['bin', 'dist', 'package.json'])
    await cp(join(SERVICES, part), join(folder, part), { recursive: true });
  await symlink(join(SERVICES, 'native'), join(folder, 'native'));
  for (const { file, find, replace } of patches) {
    const path = join(folder, 'dist', file);
    await writeFile(path, patched(await readFile(path, 'utf8'), { file, find, replace }));
  }
  return join(folder, 'bin', 'hashcluster.js');
}

/** Removes the copies that this process has made. */
export async function removePatchedBuilds(): Promise<void> {
  await rm(PATCHED, { recursive: true, force: true });
}

/** The same when this process exits, by a signal for instance. */
export function removePatchedBuildsAtExit(): void {
  process.once('exit', () => rmSync(PATCHED, { recursive: true, force: true }));
}

/** Throws when the text is not there exactly once. */
export function patched(text: string, { file, find, replace }: Patch): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`A patch of ${file} found its text ${times} times, not once:\n${find}`);
  return text.replace(find, () => replace);
}
