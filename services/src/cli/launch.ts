import { resolve } from 'node:path';
import { CliError, EXIT } from './exit-codes.ts';
import { sentence } from './format.ts';
import { launchOptions, type LaunchFlags, type LaunchOptions } from './launch-options.ts';
import type { Session } from './session.ts';
import type { EmbeddedService } from '../roles/running.ts';
import type { LogLevel } from '../runtime/log-settings.ts';
import { makeDirectory } from '../runtime/make-directory.ts';
import { SettingsError } from '../runtime/settings.ts';

/** A service that answers, and how to say so. */
export interface Launched extends EmbeddedService {
  /** Where it is and what it hashes with, in one sentence. */
  readonly message: string;
  /** The same for programs. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** One of the two, as suits the format of the logs. */
  readonly readyLine: string;
}

/** Errors of the language itself: a fault in the program, to be told with its place. */
const MISTAKES = [TypeError, ReferenceError, SyntaxError];

/** The options as flags and environment say; logs are for people on a terminal and for programs elsewhere. */
export function sessionLaunchOptions(
  session: Session,
  flags: LaunchFlags,
  logLevel: LogLevel,
): LaunchOptions {
  const { logFormat } = session;
  try {
    return launchOptions(flags, session.host.settings.env, { logLevel, logFormat });
  } catch (error) {
    throw startError(error);
  }
}

/** The directory, made if need be, readable by its owner only. */
function makeDataDir(path: string): string {
  const full = resolve(path);
  try {
    makeDirectory(full, 0o700);
  } catch (error) {
    throw new CliError(
      EXIT.unavailable,
      sentence(`Cannot use ${full} for data: ${(error as Error).message}`),
    );
  }
  return full;
}

/** What has hindered it in the end: the probes' port says first what it was wanted for. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

/** What hinders a start, in words that say what to do. */
export function startError(error: unknown): unknown {
  if (error instanceof SettingsError)
    return new CliError(EXIT.usage, 'The environment is wrong.', error.faults);
  const { message } = error as Error;
  const { code, address, port } = causeOf(error) as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  const where = `port ${port ?? '?'} of ${address ?? 'this machine'}`;
  if (code === 'EADDRINUSE') {
    const hint = 'Choose others with --port and --admin-port.';
    return new CliError(EXIT.unavailable, `Something else listens on ${where}. ${hint}`);
  }
  if (code === 'EACCES' && port !== undefined) {
    return new CliError(EXIT.unavailable, `Not allowed to listen on ${where}.`);
  }
  if (code === 'EADDRNOTAVAIL') {
    return new CliError(EXIT.usage, `This machine does not have the address ${address}.`);
  }
  return MISTAKES.some((kind) => error instanceof kind)
    ? error
    : new CliError(EXIT.unavailable, sentence(`Cannot start: ${message}`));
}

async function startService(
  session: Session,
  options: LaunchOptions,
  dataDir: string,
): Promise<EmbeddedService> {
  const { data: _path, ...rest } = options;
  try {
    const { version, settings, startEmbedded } = session.host;
    return await startEmbedded({ ...rest, dataDir, version, env: settings.env }, session.signal);
  } catch (error) {
    session.signal.throwIfAborted();
    throw startError(error);
  }
}

/**
 * Starts a service in this process and waits until it answers. Rejects with `CliError` when it cannot be had, or with the
 * reason of the session's signal when that aborts first; nothing is left running then.
 */
export async function launch(session: Session, options: LaunchOptions): Promise<Launched> {
  const dataDir = makeDataDir(options.data);
  const service = await startService(session, options, dataDir);
  return {
    ...service,
    stop: () => service.stop(),
    ...readiness(service, { ...options, data: dataDir }),
  };
}

function readiness(
  { url, adminUrl, backend, engines }: EmbeddedService,
  { data: dataDir, logFormat }: LaunchOptions,
): Pick<Launched, 'message' | 'ready' | 'readyLine'> {
  const hashing = `${backend} on ${engines} ${engines === 1 ? 'engine' : 'engines'}`;
  const message = `HashCluster is ready at ${url} (${hashing}; data in ${dataDir}; probes and metrics at ${adminUrl})`;
  const time = new Date().toISOString();
  const ready = { level: 'info', time, message, url, adminUrl, backend, engines, dataDir };
  return { message, ready, readyLine: logFormat === 'json' ? JSON.stringify(ready) : message };
}
