import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerBody } from './api.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { printable, sentence } from './format.ts';
import { launchOptions, type LaunchFlags, type LaunchOptions } from './launch-options.ts';
import { parseServer } from './parse.ts';
import type { Session } from './session.ts';
import type { EmbeddedService } from '../roles/running.ts';
import type { LogLevel } from '../runtime/log-settings.ts';
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

/** The service's own worker makes itself known within this time, in milliseconds. */
const WORKER_MS = 5_000;
const LOOK_EVERY_MS = 50;

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
async function makeDataDir(path: string): Promise<string> {
  const full = resolve(path);
  try {
    await mkdir(full, { recursive: true, mode: 0o700 });
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

/** The service's own worker, once it has said what it hashes with; null when it does not in time. */
async function firstWorker(session: Session, server: URL): Promise<WorkerBody | null> {
  const client = session.client(session.signal, server);
  const end = performance.now() + WORKER_MS;
  while (performance.now() < end) {
    const worker = (await client.workers()).find(({ state }) => state === 'live');
    if (worker) return worker;
    await sleep(LOOK_EVERY_MS, null, { signal: session.signal }).catch(() => session.signal.throwIfAborted());
  }
  return null;
}

async function startService(
  session: Session,
  options: LaunchOptions,
  dataDir: string,
): Promise<EmbeddedService> {
  const { data: _path, ...rest } = options;
  try {
    return await session.host.startEmbedded({
      ...rest,
      dataDir,
      version: session.host.version,
      env: session.host.settings.env,
    });
  } catch (error) {
    throw startError(error);
  }
}

/** Starts a service in this process and waits until it answers. Rejects with `CliError` when it cannot be had. */
export async function launch(session: Session, options: LaunchOptions): Promise<Launched> {
  const dataDir = await makeDataDir(options.data);
  const service = await startService(session, options, dataDir);
  try {
    const worker = await firstWorker(session, parseServer(service.url));
    const { url, adminUrl } = service;
    return {
      url,
      adminUrl,
      stop: () => service.stop(),
      ...readiness(service, worker, { ...options, data: dataDir }),
    };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

function readiness(
  { url, adminUrl }: EmbeddedService,
  worker: WorkerBody | null,
  { data: dataDir, logFormat }: LaunchOptions,
): Pick<Launched, 'message' | 'ready' | 'readyLine'> {
  const backend = worker && printable(worker.backend);
  const engines = worker?.engines ?? null;
  const hashing = worker
    ? `${backend} on ${engines} ${engines === 1 ? 'engine' : 'engines'}`
    : 'hashing soon';
  const message = `HashCluster is ready at ${url} (${hashing}; data in ${dataDir}; probes and metrics at ${adminUrl})`;
  const ready = {
    level: 'info',
    time: new Date().toISOString(),
    message,
    url,
    adminUrl,
    backend,
    engines,
    dataDir,
  };
  return { message, ready, readyLine: logFormat === 'json' ? JSON.stringify(ready) : message };
}
