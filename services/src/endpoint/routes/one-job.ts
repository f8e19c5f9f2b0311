import type { JobFacts, JobView } from '../../jobs/job.ts';
import { isProblem } from '../body/item-parser.ts';
import type { Core } from '../core.ts';
import { sendJson } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { ProblemError, problem, type Problem } from '../problems.ts';
import type { SubmitAnswer } from '../work/batch-queue.ts';
import { jobJson } from '../work/job-body.ts';
import { appliedHeaders, beginHold, holdOn, viewAfter } from './hold.ts';

/** What a submission is answered with: the job as it stands, or a problem. */
export function viewOfAnswer(answer: SubmitAnswer): JobView | Problem {
  if (isProblem(answer)) return answer;
  switch (answer.kind) {
    case 'created':
    case 'joined':
      return { kind: 'live', job: answer.job };
    case 'known':
      return { kind: 'result', result: answer.result };
    case 'contradiction':
      return problem(
        'contradiction',
        'Another digest is stored for this job. Hardware somewhere is broken; the stored digest stays.',
      );
  }
}

/** The job as JSON, with what its worker said last. */
export function renderJob(core: Core, view: JobView): string {
  return jobJson(view, view.kind === 'live' ? core.workers.progressOf(view.job.id) : null);
}

/** Submits one job and answers: 200 when its result is known, 202 while it is live. */
export async function submitOne(
  core: Core,
  exchange: Exchange,
  tenant: string,
  facts: JobFacts,
): Promise<void> {
  const hold = beginHold(core, exchange, tenant, [facts.id]);
  try {
    const [answer] = await core.submitter.submit([facts]);
    let view = viewOfAnswer(answer!);
    if (isProblem(view)) throw new ProblemError(view);
    if (view.kind === 'live') {
      const { iterations } = facts;
      core.deps.logger.info('Job accepted', { job: facts.id, iterations, traceId: exchange.traceId });
    } else core.deps.logger.debug('Job answered at once', { job: facts.id, traceId: exchange.traceId });
    if (hold && view.kind === 'live') {
      await holdOn(hold, exchange);
      view = await viewAfter(core, hold, tenant, view);
    }
    const headers = ['Location', `/v1/jobs/${facts.id}`, ...appliedHeaders(hold)];
    sendJson(exchange.res, view.kind === 'live' ? 202 : 200, renderJob(core, view), headers);
  } finally {
    hold?.wait.close();
  }
}
