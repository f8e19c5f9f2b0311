import type { JobId, JobState } from '../../jobs/job.ts';
import { JOB_ID_PATTERN } from '../../jobs/id.ts';
import { InvalidCursorError, type Page } from '../../ports/job-store.ts';
import type { Core } from '../core.ts';
import { JSON_TYPE, sendJson } from '../http/answer.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { sendInPieces } from '../http/large-answer.ts';
import { checkedQuery, checkNoQuery } from '../http/query.ts';
import { ClientGoneError, ProblemError, invalid, refuse } from '../problems.ts';
import { DEFAULT_PAGE } from '../schemas.ts';
import { unitsOfRows } from '../request-units.ts';
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

/** A row as it comes from the store, as a job and as JSON: measured, rounded up. */
const ROW_BYTES = 2_048;

/**
 * Answers with a page. Only some are read and made at once, and what they take is charged until the client has them.
 */
async function answerPage(
  core: Core,
  { req, res }: Exchange,
  wish: ListWish,
  render: (items: string, page: Page) => string,
): Promise<void> {
  const holder = core.held.holder();
  try {
    const body = await core.lists.run(async () => {
      if (res.destroyed) throw new ClientGoneError('The client went away before its list was read.');
      const bytes = wish.limit * ROW_BYTES;
      holder.take(bytes);
      const page = await listed(core, tenantOf(req), wish);
      core.gate.charge(req, unitsOfRows(page.items.length));
      const text = render(`[${page.items.map((view) => renderJob(core, view)).join(',')}]`, page);
      // Only the answer is left, and what is sent of it.
      holder.give(Math.max(0, bytes - 2 * text.length));
      return text;
    });
    await sendInPieces(res, { status: 200, type: JSON_TYPE, body, headers: ['Cache-Control', 'no-store'] });
  } finally {
    holder.giveAll();
  }
}

/** `GET /v1/jobs`. */
export function listHandler(core: Core): Handler {
  return (exchange) => {
    const { state, cursor, limit } = checkedQuery(exchange.req.url!, core.schemas.queries.list);
    const wish = { state: state ?? null, cursor: cursor ?? null, limit: Number(limit ?? DEFAULT_PAGE) };
    return answerPage(
      core,
      exchange,
      wish,
      (items, { next }) => `{"items":${items},"next":${JSON.stringify(next)}}`,
    );
  };
}

/** `POST /pullCompleted?top=N`: the newest results. */
export function completedHandler(core: Core): Handler {
  return (exchange) => {
    const { top } = checkedQuery(exchange.req.url!, core.schemas.queries.completed);
    const wish = { state: 'done', cursor: null, limit: Number(top) } as const;
    return answerPage(core, exchange, wish, (items) => `{"items":${items}}`);
  };
}
