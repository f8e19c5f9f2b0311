import type { LogFormat } from '../runtime/log-settings.ts';
import type { Running } from '../roles/running.ts';
import type { RoleFlags, Sources } from '../roles/settings.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { startError } from './launch.ts';
import { isLoopback } from '../runtime/loopback.ts';
import type { Session } from './session.ts';

/** What is said when a role is ready: a sentence, and more for programs. */
export interface Readiness {
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How to start a role in this process, and what to say then. */
export interface Role<T extends Running> {
  readonly start: (signal: AbortSignal) => Promise<T>;
  readonly readiness: (running: T) => Readiness;
}

/** Waits until the signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** Reads the settings of a role. Throws `CliError` with a line for each that is wrong. */
export function readRole<T>(session: Session, flags: RoleFlags, read: (sources: Sources) => T): T {
  const { host, logFormat } = session;
  try {
    return read({ env: host.settings.env, flags, version: host.version, logFormat });
  } catch (error) {
    throw startError(error);
  }
}

/** Warns of an address that is not of this machine alone; among logs for programs, as one of them. */
export function warnOfOpenHost({ output }: Session, host: string, logFormat: LogFormat): void {
  if (isLoopback(host)) return;
  const text = `${host} can be reached from other machines, and whoever reaches it may submit and cancel jobs.`;
  output.note(logFormat === 'json' ? logLine('warn', text) : `Warning: ${text}`);
}

function logLine(level: 'info' | 'warn', message: string): string {
  return JSON.stringify({ level, time: new Date().toISOString(), message });
}

/**
 * Runs a role until it is told to stop, then lets it drain: exit code 0, also when it is told so before it is ready.
 * Rejects with `CliError` when it cannot be started.
 */
export async function runRole<T extends Running>(
  session: Session,
  logFormat: LogFormat,
  { start, readiness }: Role<T>,
): Promise<ExitCode> {
  const { output, signal } = session;
  let running: T;
  try {
    running = await start(signal);
  } catch (error) {
    if (signal.aborted) return EXIT.ok;
    throw startError(error);
  }
  const { message, facts } = readiness(running);
  const { url, adminUrl } = running;
  const ready = { level: 'info', time: new Date().toISOString(), message, url, adminUrl, ...facts };
  output.line(logFormat === 'json' ? JSON.stringify(ready) : message, ready);
  await untilAborted(signal);
  if (logFormat === 'pretty')
    output.note('Draining. Once more Ctrl-C ends it at once; nothing acknowledged is lost.');
  await running.stop();
  return EXIT.ok;
}
