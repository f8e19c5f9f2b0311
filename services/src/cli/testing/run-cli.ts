import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to standard input, which is then closed. */
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A file descriptor to write results to, instead of the pipe. */
  readonly stdout?: number;
  /** Told of the process and what it has written to standard error so far, whenever that grows. */
  readonly onStderr?: (child: ChildProcess, text: string) => void;
}

/** The command line as a process of its own, with pipes for all three streams and a bare environment. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<CliRun> {
  const env = { HOME: tmpdir(), ...options.env };
  const cwd = options.cwd ?? process.cwd();
  const stdio: StdioOptions = ['pipe', options.stdout ?? 'pipe', 'pipe'];
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd, stdio });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(child, stderr);
  });
  child.stdin!.on('error', () => undefined);
  child.stdin!.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}
