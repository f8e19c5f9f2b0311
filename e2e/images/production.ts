import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What package.json and package-lock.json say of a package, as far as it matters here. */
interface Manifest {
  readonly workspaces?: readonly string[];
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

interface Lock {
  readonly packages: Readonly<Record<string, Manifest>>;
  readonly [field: string]: unknown;
}

/**
 * Writes a project for npm that has one workspace and nothing that only builds or tests, with the versions that are locked: what its
 * image is installed from. `--omit=dev` does not do: with several workspaces, `npm ci` then keeps what is for development
 * here and not there, and `npm sbom` forgets it.
 */
export async function writeProduction(workspace: string, folder: string): Promise<void> {
  await mkdir(join(folder, workspace), { recursive: true });
  for (const file of ['package.json', `${workspace}/package.json`])
    await write(folder, file, alone(await read<Manifest>(file), workspace));
  const { packages, ...lock } = await read<Lock>('package-lock.json');
  const changed = ['', workspace].map((path) => [path, alone(packages[path] ?? {}, workspace)] as const);
  await write(folder, 'package-lock.json', {
    ...lock,
    packages: { ...packages, ...Object.fromEntries(changed) },
  });
}

/** The root with this workspace only; a workspace as it is. Both without what is for development, as Node.js is for the root. */
function alone({ devDependencies: _, ...manifest }: Manifest, workspace: string): Manifest {
  if (manifest.workspaces === undefined) return manifest;
  const { optionalDependencies: _node, ...root } = manifest;
  return { ...root, workspaces: [workspace] };
}

async function read<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(join(ROOT, file), 'utf8')) as T;
}

async function write(folder: string, file: string, content: unknown): Promise<void> {
  await writeFile(join(folder, file), JSON.stringify(content, null, 2));
}

if (process.argv[1] === import.meta.filename) {
  const [workspace, folder] = process.argv.slice(2);
  if (workspace === undefined || folder === undefined)
    throw new Error('node e2e/images/production.ts WORKSPACE FOLDER');
  await writeProduction(workspace, folder);
}
