import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SERVERS = fileURLToPath(new URL('../../../../../e2e/servers/main.ts', import.meta.url));
const START_MS = 180_000;

/** The broker that tests share: its address, or why there is none. */
export interface SharedKafka {
  readonly broker: string | null;
  readonly skipped: string | null;
}

/** Asks for the shared broker; it is started where it is not running. */
export async function sharedKafka(): Promise<SharedKafka> {
  const { stdout } = await promisify(execFile)(process.execPath, [SERVERS, 'need', 'kafka'], {
    timeout: START_MS,
  });
  const answer = JSON.parse(stdout) as { readonly kafka?: string; readonly skipped?: string };
  return { broker: answer.kafka ?? null, skipped: answer.skipped ?? null };
}
