import type { JobId, JobView } from '../../jobs/job.ts';
import type { Core } from '../core.ts';
import { sendFresh } from '../http/answer.ts';
import type { Handler } from '../http/exchange.ts';
import { checkNoQuery } from '../http/query.ts';
import { refuse } from '../problems.ts';
import { tenantOf } from '../tenant.ts';
import { renderJob } from './one-job.ts';
import { idOf, unknownJob } from './read.ts';

/** A job that is still live after a cancel was submitted again in between; it is cancelled again, so many times. */
const ATTEMPTS = 3;

/** `DELETE /v1/jobs/{id}`. */
export function cancelHandler(core: Core): Handler {
  return async (exchange) => {
    const { req, res, traceId } = exchange;
    const id = idOf(exchange);
    checkNoQuery(req.url!, core.schemas.queries.none);
    const view = await cancel(core, tenantOf(req), id);
    if (view.kind === 'result') core.announcements.cancelled(view.result);
    core.deps.logger.info('Job cancelled', { job: id, traceId });
    sendFresh(res, renderJob(core, view));
  };
}

async function cancel(core: Core, tenant: string, id: JobId): Promise<JobView> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const { answers, repeated } = await core.store.call('cancel', async (store, attempt) => ({
      answers: await store.cancel(tenant, [id]),
      repeated: attempt > 0,
    }));
    const answer = answers[0];
    if (!answer) return unknownJob(id);
    const { cancelled, view } = answer;
    if (cancelled) return view;
    if (view.kind === 'live') continue;
    // The call before, whose answer got lost, may have cancelled it.
    if (repeated && view.result.outcome === 'cancelled') return view;
    refuse('already-ended', `The job is ${view.result.outcome} already; it cannot be cancelled.`);
  }
  refuse('overloaded', 'The job is submitted again as fast as it is cancelled. Try again in a moment.');
}
