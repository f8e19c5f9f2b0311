import type { JobId, JobState, JobView } from '../../jobs/job.ts';
import { JOB_ID_PATTERN } from '../../jobs/id.ts';
import { InvalidCursorError, type Page } from '../../ports/job-store.ts';
import type { Core } from '../core.ts';
import { sendFresh, sendJson } from '../http/answer.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { checkedQuery, checkNoQuery } from '../http/query.ts';
import { ProblemError, invalid, refuse } from '../problems.ts';
import { DEFAULT_PAGE } from '../schemas.ts';
import { tenantOf } from '../tenant.ts';
import { appliedHeaders, beginHold, holdOn, viewAfter } from './hold.ts';
import { renderJob } from './one-job.ts';

/** The id in the path. Throws `malformed-id`. */
export function idOf({ params }: Exchange): JobId {
  const id = params['id'] ?? '';
  if (!JOB_ID_PATTERN.test(id))
    refuse(
      'malformed-id',
      `${JSON.stringify(id.slice(0, 40))} is not a job id: 26 characters of lower-case base32.`,
    );
  return id;
}

/** Throws `not-found`. */
export function unknownJob(id: JobId): never {
  refuse('not-found', `No job with the id ${id} is known. Results are kept for a limited time.`);
}

/** `GET /v1/jobs/{id}`. */
export function jobHandler(core: Core): Handler {
  return async (exchange) => {
    const { req, res } = exchange;
    const id = idOf(exchange);
    checkNoQuery(req.url!, core.schemas.queries.none);
    const tenant = tenantOf(req);
    const hold = beginHold(core, exchange, tenant, [id]);
    try {
      let view = await core.lookups.get(tenant, id);
      if (!view) return unknownJob(id);
      if (hold && view.kind === 'live') {
        await holdOn(hold, exchange);
        view = await viewAfter(core, hold, tenant, view);
      }
      const fresh = view.kind === 'live' ? ['Cache-Control', 'no-store'] : [];
      sendJson(res, 200, renderJob(core, view), [...fresh, ...appliedHeaders(hold)]);
    } finally {
      hold?.wait.close();
    }
  };
}

interface ListWish {
  readonly state: JobState | null;
  readonly cursor: string | null;
  readonly limit: number;
}

async function listed(core: Core, tenant: string, wish: ListWish): Promise<Page> {
  try {
    return await core.store.call('list', (store) => store.list({ tenant, ...wish }));
  } catch (error) {
    if (!(error instanceof InvalidCursorError)) throw error;
    throw new ProblemError(
      invalid({ parameter: 'cursor', detail: 'The cursor is not one that this service gave.' }),
      error,
    );
  }
}

function itemsJson(core: Core, views: readonly JobView[]): string {
  return `[${views.map((view) => renderJob(core, view)).join(',')}]`;
}

/** `GET /v1/jobs`. */
export function listHandler(core: Core): Handler {
  return async ({ req, res }) => {
    const { state, cursor, limit } = checkedQuery(req.url!, core.schemas.queries.list);
    const wish = { state: state ?? null, cursor: cursor ?? null, limit: Number(limit ?? DEFAULT_PAGE) };
    const { items, next } = await listed(core, tenantOf(req), wish);
    sendFresh(res, `{"items":${itemsJson(core, items)},"next":${JSON.stringify(next)}}`);
  };
}

/** `POST /pullCompleted?top=N`: the newest results. */
export function completedHandler(core: Core): Handler {
  return async ({ req, res }) => {
    const { top } = checkedQuery(req.url!, core.schemas.queries.completed);
    const { items } = await listed(core, tenantOf(req), { state: 'done', cursor: null, limit: Number(top) });
    sendFresh(res, `{"items":${itemsJson(core, items)}}`);
  };
}
