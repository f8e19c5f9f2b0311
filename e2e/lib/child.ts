import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Starting may take this long, in milliseconds: a busy machine, and a store to look through. */
const START_MS = 60_000;
const STOP_MS = 60_000;
const MAX_LOG = 1_000;

/** A process of ours that said where it is. */
export interface Running {
  /** The address of the API; null when it has none. */
  readonly url: string | null;
  readonly adminUrl: string;
  readonly pid: number;
  /** What it has logged, the last lines. */
  readonly log: readonly string[];
  /** SIGTERM, and the exit code. Also of a process that has ended already. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: the process stands still, and its connections stay open. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface ChildOptions {
  /** Arguments of node: its own options, the file, and what follows. */
  readonly argv: readonly string[];
  /** Over the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
}

/** The fields of the line that says `ready`. */
type Ready = Pick<Running, 'url' | 'adminUrl'>;

/** Starts a process and waits until it says that it is ready. Rejects with its log when it does not become so. */
export async function startChild({ argv, env }: ChildOptions): Promise<Running> {
  const child = spawn(process.execPath, argv, {
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
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
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
  if (!line.startsWith('{') || !line.includes('"adminUrl"')) return null;
  const { url = null, adminUrl } = JSON.parse(line) as Partial<Ready>;
  return adminUrl ? { url, adminUrl } : null;
}

async function end(
  child: ChildProcess,
  exited: Promise<number | null>,
  signal: NodeJS.Signals,
): Promise<number | null> {
  child.kill(signal);
  // One that stands still hears nothing else.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const code = await exited;
  clearTimeout(timer);
  return code;
}
