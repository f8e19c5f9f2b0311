import { spawn } from 'node:child_process';

const MAX_OUTPUT = 64 << 20;
/** What an error tells at most of what the program said: some quote whole objects. */
const MAX_SAID = 2_000;

export interface RunOptions {
  /** What is written to its standard input. */
  readonly input?: string;
  /** After this time it is killed, and that is a failure. Two minutes unless said otherwise, in milliseconds. */
  readonly limitMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program and gives what it printed. Rejects with what it said when it fails or takes too long. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, limitMs = 120_000, cwd, env } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out = (out + text).slice(-MAX_OUTPUT)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-MAX_OUTPUT)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(out.trimEnd());
      const why = signal === null ? `exit code ${code ?? '?'}` : `${signal}, after at most ${limitMs} ms`;
      reject(
        new Error(`${file} ${args.join(' ')}: ${why}\n${(err.trim() || out.trim()).slice(0, MAX_SAID)}`),
      );
    });
    child.stdin.on('error', () => undefined).end(input ?? '');
  });
}
