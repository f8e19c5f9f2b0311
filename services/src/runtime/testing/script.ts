import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A module that runs in a process of its own, for tests of what belongs to a process: signals, exit codes, environment. */
export interface Script {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Lines of standard output so far. */
  readonly lines: readonly string[];
  /** The first line, said already or still to come, that has this text. Rejects when the script ends without it. */
  line(text: string): Promise<string>;
  /** Exit code, or the name of the signal; and all of standard error. */
  readonly ended: Promise<{ readonly code: number | string; readonly stderr: string }>;
}

/** Runs JavaScript as a module. Relative imports are relative to `base` (an `import.meta.url`). */
export function runScript(base: string, source: string, env: Readonly<Record<string, string>> = {}): Script {
  const code = source.replace(/(from|import\() ?'(\.[^']+)'/g, (_, verb: string, path: string) => {
    return `${verb}${verb === 'from' ? ' ' : ''}'${new URL(path, base).href}'`;
  });
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  const stderr: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text));
  const ended = once(child, 'close').then(([exitCode, signal]: unknown[]) => ({
    code: (exitCode ?? signal) as number | string,
    stderr: stderr.join(''),
  }));
  const line = async (text: string): Promise<string> => {
    for (;;) {
      const found = lines.find((candidate) => candidate.includes(text));
      if (found !== undefined) return found;
      const next = await Promise.race([once(reader, 'line'), ended]);
      if (!Array.isArray(next) && !lines.some((candidate) => candidate.includes(text))) {
        throw new Error(`The script ended without "${text}": ${JSON.stringify(next)}`);
      }
    }
  };
  return { child, lines, line, ended };
}
