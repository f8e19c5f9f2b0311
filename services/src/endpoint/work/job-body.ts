import type { JobResult, JobView, LiveJob } from '../../jobs/job.ts';
import type { JobProgress } from './workers-table.ts';

/** Milliseconds since 1970 as ISO 8601. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Never 1 before the end: nobody shall be told that all is done when it is not. */
function shareOf(position: number, iterations: number): number {
  return Math.min(rounded(position / iterations, 6), position === iterations ? 1 : 0.999999);
}

function quoted(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text);
}

/**
 * A job as clients see it, as JSON. Written by hand: it is made for every answer, and ids, digests and times need no
 * escaping. `progress` is what its worker said last, which may be ahead of the store.
 */
export function jobJson(view: JobView, progress: JobProgress | null): string {
  return view.kind === 'live' ? liveJson(view.job, progress) : resultJson(view.result);
}

function liveJson(job: LiveJob, progress: JobProgress | null): string {
  const running = job.owner !== null;
  const said = running && progress !== null ? progress.position : 0;
  const position = Math.min(Math.max(job.position, said), job.iterations);
  const rate = running && progress?.rate && progress.rate >= 1 ? progress.rate : null;
  const eta = rate === null ? null : rounded((job.iterations - position) / rate, 1);
  return `{"id":"${job.id}","state":"${running ? 'running' : 'queued'}","iterations":${job.iterations},"position":${position},"progress":${shareOf(position, job.iterations)},"chain":"${job.chain}","digest":null,"createdAt":"${iso(job.createdAt)}","startedAt":null,"finishedAt":null,"expiresAt":null,"computed":null,"reason":null,"worker":${quoted(job.owner)},"rate":${rate === null ? 'null' : rounded(rate, 0)},"etaSeconds":${eta}}`;
}

function resultJson(result: JobResult): string {
  const done = result.outcome === 'done';
  const position = done ? result.iterations : Math.min(result.computed + 1, result.iterations);
  const created = iso(result.createdAt);
  const finished = result.finishedAt === result.createdAt ? created : iso(result.finishedAt);
  const started = result.startedAt === null ? 'null' : `"${iso(result.startedAt)}"`;
  return `{"id":"${result.id}","state":"${result.outcome}","iterations":${result.iterations},"position":${position},"progress":${done ? 1 : shareOf(position, result.iterations)},"chain":"${result.chain}","digest":${done ? `"${result.digest}"` : 'null'},"createdAt":"${created}","startedAt":${started},"finishedAt":"${finished}","expiresAt":"${iso(result.expiresAt)}","computed":${result.computed},"reason":${quoted(result.reason)},"worker":${quoted(result.worker)},"rate":null,"etaSeconds":null}`;
}
