import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeProduction } from './production.ts';

const FOLDER = fileURLToPath(new URL('../../.cache/sbom/', import.meta.url));
const WORKSPACES = ['services', 'operator'] as const;
const MAX_OUTPUT = 64 << 20;

/**
 * The bill of materials of a workspace as CycloneDX JSON: all that its image may contain, on any platform, as package-lock.json has
 * it. Each image has its own, of what is really there: /app/sbom.cdx.json. Rejects when npm fails.
 */
export async function billOfMaterials(workspace: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `hashcluster-${workspace}-`));
  try {
    await writeProduction(workspace, folder);
    const args = ['sbom', '--package-lock-only', '--workspace', workspace, '--sbom-format', 'cyclonedx'];
    return (await promisify(execFile)('npm', args, { cwd: folder, maxBuffer: MAX_OUTPUT })).stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  await mkdir(FOLDER, { recursive: true });
  for (const workspace of WORKSPACES) {
    const file = join(FOLDER, `${workspace}.cdx.json`);
    await writeFile(file, await billOfMaterials(workspace));
    console.log(file);
  }
}
