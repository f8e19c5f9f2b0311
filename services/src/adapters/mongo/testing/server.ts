import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url));

/** A replica set that all tests share, or why there is none. */
export type Server = { readonly uri: string } | { readonly skipped: string };

/** One member, or three. The containers are started when they do not run, and stay. */
export async function needMongo(name: 'mongodb' | 'mongodb3' = 'mongodb'): Promise<Server> {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['e2e/servers/main.ts', 'need', name], { cwd: ROOT });
  const answer = JSON.parse(stdout.trim()) as Record<string, string>;
  const uri = answer[name];
  return uri === undefined ? { skipped: answer['skipped'] ?? 'no server' } : { uri };
}
