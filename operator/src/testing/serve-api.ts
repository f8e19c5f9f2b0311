import { writeFile } from 'node:fs/promises';
import { startApiServer } from './api-server.ts';
import { findApiServer } from './settings.ts';

/** EX_UNAVAILABLE of sysexits.h. */
const UNAVAILABLE = 69;

/**
 * A Kubernetes API without nodes for a test of another workspace: node operator/src/testing/serve-api.ts KUBECONFIG
 * writes that file, says `ready`, and ends when its standard input does. Without a file it only says by its exit code whether it could.
 */
async function main(file: string | undefined): Promise<number> {
  const programs = findApiServer();
  if (programs === null) return UNAVAILABLE;
  if (file === undefined) return 0;
  const server = await startApiServer(programs);
  try {
    await writeFile(file, server.config.exportConfig(), { mode: 0o600 });
    process.stdout.write('ready\n');
    for await (const _ of process.stdin);
    return 0;
  } finally {
    await server.stop();
  }
}

process.exitCode = await main(process.argv[2]);
