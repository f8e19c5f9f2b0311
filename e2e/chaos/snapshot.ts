import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * The position of every live job on disk. Reads a copy, so that the service that starts next has to recover from the
 * same files by itself.
 */
export async function positionsOnDisk(dataDir: string): Promise<Map<string, number>> {
  const copy = await mkdtemp(join(tmpdir(), 'hashcluster-snapshot-'));
  try {
    await cp(dataDir, copy, { recursive: true });
    const file = (await readdir(copy)).find((name) => /\.(db|sqlite)$/.test(name));
    if (!file) return new Map();
    const database = new DatabaseSync(join(copy, file));
    try {
      const rows = database.prepare('SELECT id, position FROM jobs').all() as {
        id: string;
        position: number;
      }[];
      return new Map(rows.map(({ id, position }) => [id, position]));
    } finally {
      database.close();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
