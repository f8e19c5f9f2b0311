import { isAbsolute, relative } from 'node:path';
import type { JobBody } from './api.ts';
import { formatCount, formatTime } from './format.ts';
import { workText } from './job-text.ts';

/** What the demo says. Pure. */

/** A word for a POSIX shell, quoted when it has to be. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The shortest way to write a file's path from `cwd`: relative when it lies below, absolute otherwise. */
export function shownPath(path: string, cwd: string): string {
  const way = relative(cwd, path);
  return way === '' || way.startsWith('..') || isAbsolute(way) ? path : way;
}

/** A command that computes the digest with Python alone, in about a second for a million iterations. */
export function pythonCheck(path: string, iterations: number): string {
  const step = 'lambda d, _: hashlib.sha512(d).digest()';
  const chain = `functools.reduce(${step}, range(${iterations}), open(sys.argv[1], 'rb').read())`;
  return `python3 -c "import functools, hashlib, sys; print(${chain}.hex())" ${shellWord(path)}`;
}

export interface DemoResult {
  readonly job: JobBody;
  /** The answer was there before the question. */
  readonly known: boolean;
  readonly path: string;
  readonly url: string;
  /** True when the service listens where the commands look for it by themselves. */
  readonly usual: boolean;
}

/** What came of the job, and how to check it. */
export function resultText({ job, known, path }: DemoResult): string {
  const how = known
    ? `Answered from the cache: it was computed on ${formatTime(job.finishedAt)}, and is not computed again.`
    : `Computed ${workText(job)}.`;
  return [
    `${how} Position ${formatCount(job.iterations)} of the chain that starts from ${path}:`,
    '',
    `  ${job.digest}`,
    '',
    'Python comes to the same digest:',
    '',
    `  ${pythonCheck(path, job.iterations)}`,
    '',
  ].join('\n');
}

/** What to try next. */
export function nextText({ job, path, url, usual }: DemoResult): string {
  const server = usual ? '' : ` --server ${url}`;
  return [
    'Try next, in another terminal:',
    '',
    `  npx hashcluster submit ${shellWord(path)} --iterations 100M --wait${server}`,
    `  npx hashcluster list${server}`,
    `  npx hashcluster verify ${job.id}${server}`,
    `  npx hashcluster cluster${server}`,
    `  curl -T ${shellWord(path)} '${url}/enqueue?iterations=1000000'`,
    `  curl ${url}/v1/jobs/${job.id}`,
    '',
  ].join('\n');
}
