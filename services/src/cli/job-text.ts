import type { JobBody } from './api.ts';
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatTable,
  formatTime,
  printable,
} from './format.ts';
import type { Tone } from './output.ts';

/** Jobs as text. Pure. */

/** How a state is coloured. */
export function stateTone(state: JobBody['state']): Tone {
  if (state === 'done') return 'good';
  return state === 'failed' || state === 'cancelled' ? 'bad' : 'strong';
}

/** Everything about a job, a line each. */
export function jobText(job: JobBody): string {
  const rows: [string, string | null][] = [
    ['id', job.id],
    ['state', job.state],
    ['iterations', formatCount(job.iterations)],
    ['position', `${formatCount(job.position)} (${formatPercent(job.progress)})`],
    ['rate', job.rate === null ? null : formatRate(job.rate)],
    ['left', job.etaSeconds === null ? null : formatDuration(job.etaSeconds)],
    ['chain', job.chain],
    ['digest', job.digest],
    ['reason', job.reason === null ? null : printable(job.reason)],
    ['computed', job.computed === null ? null : formatCount(job.computed)],
    ['worker', job.worker === null ? null : printable(job.worker)],
    ['created', formatTime(job.createdAt)],
    ['started', job.startedAt === null ? null : formatTime(job.startedAt)],
    ['finished', job.finishedAt === null ? null : formatTime(job.finishedAt)],
    ['kept until', job.expiresAt === null ? null : formatTime(job.expiresAt)],
  ];
  return formatTable(rows.filter((row): row is [string, string] => row[1] !== null));
}

const LIST_HEAD = ['ID', 'STATE', 'ITERATIONS', 'DONE', 'CREATED'];

/** A job as a row of the list. */
function listRow(job: JobBody): string[] {
  return [
    job.id,
    job.state,
    formatCount(job.iterations),
    formatPercent(job.progress),
    formatTime(job.createdAt),
  ];
}

/** The list of jobs as a table. */
export function listText(jobs: readonly JobBody[]): string {
  return jobs.length === 0 ? 'no jobs' : formatTable([LIST_HEAD, ...jobs.map(listRow)], [2, 3]);
}

/** One job of the list, in a line of its own. */
export function listLine(job: JobBody): string {
  return `${job.id}  ${job.state.padEnd(9)}  ${formatPercent(job.progress)} of ${formatCount(job.iterations)}`;
}

/** How a job came to its result: `1,000,000 iterations in 812 ms (1.23 M/s)`. */
export function workText(job: JobBody): string {
  const { computed, startedAt, finishedAt, iterations } = job;
  const steps = computed ?? iterations;
  const seconds = startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000 : NaN;
  const reused = computed !== null && computed < iterations - 1;
  const what = reused
    ? `${formatCount(computed)} of ${formatCount(iterations)} iterations`
    : `${formatCount(iterations)} iterations`;
  if (!(seconds > 0)) return what;
  return `${what} in ${formatDuration(seconds)} (${formatRate(steps / seconds)})`;
}
