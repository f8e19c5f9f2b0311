import { hasEnded, type JobBody } from './api.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { followJob } from './follow.ts';
import { formatDuration, formatPercent, printable } from './format.ts';
import { workText } from './job-text.ts';
import { Pace } from './pace.ts';
import type { Standing } from './progress.ts';
import type { Session } from './session.ts';

export interface WaitOptions {
  /** The longest wait in milliseconds; undefined: as long as it takes. */
  readonly maxWaitMs: number | undefined;
  /** Called with every state and position on the way, the last included. */
  readonly onJob?: (job: JobBody) => void;
  /** The service that has the job; the one that `--server` names unless told otherwise. */
  readonly server?: URL;
}

/** Where a job stands, with the rate that its worker says, or else the one seen from here. */
export function jobStanding(job: JobBody, seenRate: number | null): Standing {
  const rate = job.state === 'running' ? (job.rate ?? seenRate) : null;
  const left = rate ? (job.iterations - job.position) / rate : null;
  return {
    label: job.state,
    position: job.position,
    total: job.iterations,
    rate,
    secondsLeft: job.state === 'running' ? (job.etaSeconds ?? left) : null,
  };
}

/** The error of a job that has not ended when the user wanted its result. */
export function stillRunning(job: JobBody, waitedMs: number | null): CliError {
  const waited = waitedMs === null ? '' : ` after ${formatDuration(waitedMs / 1_000)}`;
  const where = job.state === 'running' ? `running, ${formatPercent(job.progress)} done` : job.state;
  const left = job.etaSeconds === null ? '' : `, about ${formatDuration(job.etaSeconds)} left`;
  return new CliError(EXIT.stillRunning, `Job ${job.id} is still ${where}${left}${waited}.`, [
    `It goes on. See it with: hashcluster watch ${job.id}`,
  ]);
}

/** Follows a job to its end and shows its progress. Rejects with exit code 75 when it takes longer than `maxWaitMs`. */
export async function awaitEnd(session: Session, first: JobBody, options: WaitOptions): Promise<JobBody> {
  const { maxWaitMs, onJob, server } = options;
  const limit = new AbortController();
  let job = first;
  const expire = (): void => limit.abort(stillRunning(job, maxWaitMs!));
  const timer = maxWaitMs === undefined ? null : setTimeout(expire, maxWaitMs);
  const signal = AbortSignal.any([session.signal, limit.signal]);
  const progress = session.progress();
  const pace = new Pace();
  try {
    for await (job of followJob(session.client(signal, server), first.id, signal)) {
      onJob?.(job);
      if (hasEnded(job.state)) return job;
      pace.add(performance.now(), job.position);
      progress.show(jobStanding(job, pace.rate()));
    }
    return job;
  } catch (error) {
    progress.close();
    if (session.signal.aborted)
      session.output.note(`The job goes on. See it with: hashcluster watch ${first.id}`);
    throw error;
  } finally {
    progress.close();
    if (timer) clearTimeout(timer);
  }
}

/** Prints how a job ended: its digest, or its last state as JSON. The exit code says whether it was done. */
export function reportEnd(session: Session, job: JobBody, known: boolean): ExitCode {
  const { output } = session;
  if (job.state === 'done' && job.digest !== null) {
    output.note(`${job.id}: done, ${known ? 'known already' : workText(job)}`);
    output.result(job.digest, job);
    return EXIT.ok;
  }
  if (output.format === 'json') output.result('', job);
  const why = job.reason === null ? '' : `: ${printable(job.reason)}`;
  throw new CliError(
    EXIT.failed,
    `Job ${job.id} ${job.state === 'failed' ? 'failed' : 'was cancelled'}${why}.`,
  );
}
