import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The address of servers on this machine; they are started when they do not run. Rejects with the reason when they cannot. */
export async function needServer(name: 'mongodb' | 'mongodb3' | 'kafka'): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['e2e/servers/main.ts', 'need', name]);
  const answer = JSON.parse(stdout) as Record<string, string>;
  if (answer[name] === undefined) throw new Error(`no ${name}: ${answer['skipped'] ?? 'nobody says why'}`);
  return answer[name];
}
