import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The command line as it is installed. */
export const BIN = fileURLToPath(new URL('../../services/bin/hashcluster.js', import.meta.url));

/** Starting may take this long, in milliseconds: a busy machine, and a store to look through. */
const START_MS = 60_000;
const STOP_MS = 60_000;

export interface ServiceOptions {
  readonly dataDir: string;
  /** More flags of `hashcluster start`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A `hashcluster start` of our own, as a process of its own, on free ports of the loopback address. */
export interface Service {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** What it has logged, the last lines. */
  readonly log: readonly string[];
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const MAX_LOG = 1_000;

/** Starts the service and waits until it is ready. Rejects with its log when it does not become so. */
export async function startService({ dataDir, args = [], env = {} }: ServiceOptions): Promise<Service> {
  const flags = [
    'start',
    '--port',
    '0',
    '--admin-port',
    '0',
    '--data',
    dataDir,
    '--log-format',
    'json',
    ...args,
  ];
  const child = spawn(process.execPath, [BIN, ...flags], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  // Whatever becomes of this process, the service does not outlive it.
  const orphaned = (): void => void child.kill('SIGKILL');
  process.once('exit', orphaned);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      process.off('exit', orphaned);
      resolve(code);
    });
  });
  const ready = await whenReady(child, log);
  return {
    ...ready,
    pid: child.pid!,
    log,
    stop: () => end(child, exited, 'SIGTERM'),
    kill: async () => void (await end(child, exited, 'SIGKILL')),
  };
}

/** The fields of the line that says `ready`. */
interface Ready {
  readonly url: string;
  readonly adminUrl: string;
}

function whenReady(child: ChildProcess, log: string[]): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`The service ${why}:\n${log.join('\n')}`));
    };
    const timer = setTimeout(() => fail(`was not ready after ${START_MS} ms`), START_MS);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended at its start (${signal ?? code})`);
    });
    const hear = (line: string): void => {
      log.push(line);
      if (log.length > MAX_LOG) log.shift();
      const ready = readyIn(line);
      if (!ready) return;
      clearTimeout(timer);
      resolve(ready);
    };
    for (const stream of [child.stdout!, child.stderr!]) createInterface({ input: stream }).on('line', hear);
  });
}

function readyIn(line: string): Ready | null {
  if (!line.startsWith('{') || !line.includes('"url"')) return null;
  const { url, adminUrl } = JSON.parse(line) as Partial<Ready>;
  return url && adminUrl ? { url, adminUrl } : null;
}

async function end(
  child: ChildProcess,
  exited: Promise<number | null>,
  signal: NodeJS.Signals,
): Promise<number | null> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const code = await exited;
  clearTimeout(timer);
  return code;
}
