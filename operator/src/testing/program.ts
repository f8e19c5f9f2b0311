import { spawn } from 'node:child_process';
import { goEnvironment } from './settings.ts';

/** A program that this process has started. */
export interface Program {
  readonly pid: number;
  /** The last lines that it wrote. */
  readonly log: () => string;
  /** Whether it has ended, of itself or not. */
  readonly hasEnded: () => boolean;
  /** SIGTERM, and SIGKILL after a while. Idempotent. */
  stop(): Promise<void>;
}

const STOP_MS = 10_000;
const MAX_LOG = 16_384;

/** Starts a program that ends when this process does, at the latest. */
export function startProgram(path: string, args: readonly string[]): Program {
  const child = spawn(path, args, {
    env: goEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  let ended = false;
  const orphaned = (): void => void child.kill('SIGKILL');
  process.once('exit', orphaned);
  const exit = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true;
      process.off('exit', orphaned);
      resolve();
    };
    child.once('exit', end);
    child.once('error', (error) => {
      log += String(error);
      end();
    });
  });
  const hear = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-MAX_LOG);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return {
    pid: child.pid ?? 0,
    log: () => log,
    hasEnded: () => ended,
    stop: async () => {
      if (ended) return;
      child.kill('SIGTERM');
      const timer = setTimeout(orphaned, STOP_MS);
      await exit;
      clearTimeout(timer);
    },
  };
}
