import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CHART = join(ROOT, 'charts/hashcluster');
const SERVE = join(ROOT, 'operator/src/testing/serve-api.ts');
const ASK_MS = 60_000;
const COMMAND_MS = 120_000;
const MAX_OUTPUT = 1 << 26;

/** A program of e2e/chart/get-tools, or on the PATH; null where it is not. */
export function findTool(name: string, question: string): string | null {
  const own = join(ROOT, '.cache/tools/bin', name);
  const file = existsSync(own) ? own : name;
  return spawnSync(file, [question], { timeout: ASK_MS }).status === 0 ? file : null;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  /** Everything that it said. */
  readonly output: string;
}

/** Runs a program to its end, whatever that is. */
export function run(file: string, args: readonly string[], input = ''): Outcome {
  const options = { encoding: 'utf8', input, timeout: COMMAND_MS, maxBuffer: MAX_OUTPUT } as const;
  const { status: code, stdout, stderr } = spawnSync(file, args, options);
  return { code, stdout, output: stdout + stderr };
}

/** Whether {@link startApi} can start something here. */
export function hasApi(): boolean {
  return spawnSync(process.execPath, [SERVE], { timeout: ASK_MS }).status === 0;
}

export interface Api {
  readonly kubeconfig: string;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** A Kubernetes API server without nodes. Rejects when it does not start. */
export async function startApi(): Promise<Api> {
  const folder = await mkdtemp(join(tmpdir(), 'hashcluster-chart-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const child = spawn(process.execPath, [SERVE, kubeconfig], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  await Promise.race([
    once(lines, 'line'),
    ended.then(([code]) => Promise.reject(new Error(`The API server ended with ${String(code)}`))),
  ]);
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { kubeconfig, stop };
}
