import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SERVERS = fileURLToPath(new URL('../../../../e2e/servers/main.ts', import.meta.url));
const START_MS = 180_000;

/** A server in containers that everybody shares, or why there is none. */
export type SharedServer = { readonly address: string } | { readonly skipped: string };

/** Asks for a server of e2e/servers: it is started where it does not run, and stays. */
export async function sharedServer(name: 'mongodb' | 'mongodb3' | 'kafka'): Promise<SharedServer> {
  const { stdout } = await promisify(execFile)(process.execPath, [SERVERS, 'need', name], {
    timeout: START_MS,
  });
  const answer = JSON.parse(stdout) as Readonly<Record<string, string>>;
  const address = answer[name];
  return address === undefined ? { skipped: answer['skipped'] ?? 'nobody says why' } : { address };
}
