import type { JobId, JobView } from '../../jobs/job.ts';
import type { Core } from '../core.ts';
import type { Exchange } from '../http/exchange.ts';
import { parsePrefer } from '../http/prefer.ts';
import { ClientGoneError } from '../problems.ts';
import type { Wait } from '../work/waiters.ts';

/** A client that would like its answer to wait until jobs have ended. */
export interface Hold {
  readonly wait: Wait;
  readonly seconds: number;
}

/**
 * Begins to wait, where the client prefers it and there is room. To be called before the jobs are looked at, so that
 * nothing is missed in between; `hold.wait.close()` must follow.
 */
export function beginHold(core: Core, { req }: Exchange, tenant: string, ids: readonly JobId[]): Hold | null {
  if (req.headers['prefer'] === undefined) return null;
  const preferred = parsePrefer(String(req.headers['prefer'])).wait ?? 0;
  const seconds = Math.min(preferred, core.deps.settings.waitSecondsMax);
  if (seconds === 0) return null;
  const wait = core.waiters.begin(tenant, ids);
  return wait && { wait, seconds };
}

/** Waits. Throws `ClientGoneError` when the client does not. */
export async function holdOn({ wait, seconds }: Hold, { res }: Exchange): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  res.once('close', leave);
  if (res.destroyed) leave();
  const end = await wait.until(seconds * 1000, gone.signal);
  res.off('close', leave);
  if (end === 'gone') throw new ClientGoneError('The client went away while it waited.');
}

/** A job after waiting: how it ended, or how it stands; what was known before, should the store be away. */
export async function viewAfter(core: Core, hold: Hold, tenant: string, before: JobView): Promise<JobView> {
  const id = before.kind === 'live' ? before.job.id : before.result.id;
  const ended = hold.wait.ended.get(id);
  if (ended) return ended;
  try {
    return (await core.lookups.get(tenant, id)) ?? before;
  } catch (error) {
    core.deps.logger.debug('A job could not be looked up after a wait', { job: id, error });
    return before;
  }
}

/** RFC 7240 §3: which preference was honoured. */
export function appliedHeaders(hold: Hold | null): readonly string[] {
  return hold ? ['Preference-Applied', `wait=${hold.seconds}`] : [];
}
