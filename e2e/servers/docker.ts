import { execFile, execFileSync } from 'node:child_process';

/** How long `docker` may take to say that it is there, in milliseconds. */
const ANSWER_MS = 10_000;
const COMMAND_MS = 120_000;
/** Pulling an image over a slow line. */
const PULL_MS = 600_000;
const MAX_OUTPUT = 8 << 20;

/**
 * Runs `docker` and gives what it printed, without the last line break.
 * Rejects with what it said when it fails, or is not done after `limitMs`.
 */
export function docker(args: readonly string[], limitMs = COMMAND_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT } as const;
    execFile('docker', args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout.trimEnd());
      const why = error.killed ? `nothing after ${limitMs} ms` : stderr.trim() || error.message;
      reject(new Error(`docker ${args[0] ?? ''}: ${why}`));
    });
  });
}

/** The same for a process that is about to exit, where nothing asynchronous ends any more. Throws where `docker` would reject. */
export function dockerSync(args: readonly string[]): string {
  const limits = { timeout: COMMAND_MS, killSignal: 'SIGKILL' } as const;
  return execFileSync('docker', args, { ...limits, stdio: ['ignore', 'pipe', 'pipe'] })
    .toString()
    .trimEnd();
}

/** Why containers cannot be run here; null where they can. Takes 10 s at most. */
export async function dockerTrouble(): Promise<string | null> {
  try {
    await docker(['info', '--format', '{{.ServerVersion}}'], ANSWER_MS);
    return null;
  } catch (error) {
    return `Docker does not answer: ${(error as Error).message}`;
  }
}

/** Fetches the image unless it is here. */
export async function haveImage(image: string): Promise<void> {
  const here = await docker(['image', 'inspect', '--format', '{{.Id}}', image]).catch(() => null);
  if (here === null) await docker(['pull', '--quiet', image], PULL_MS);
}
