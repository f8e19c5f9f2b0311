import type { Core } from '../core.ts';
import { sendFresh } from '../http/answer.ts';
import type { Handler } from '../http/exchange.ts';
import { checkNoQuery } from '../http/query.ts';
import { clusterBody, workerBody } from '../work/cluster-view.ts';

/** `GET /v1/cluster`. */
export function clusterHandler(core: Core): Handler {
  const { deps, identity, workers, backlog, busView, schemas } = core;
  return async ({ req, res }) => {
    checkNoQuery(req.url!, schemas.queries.none);
    const [queued, bus] = await Promise.all([backlog.read(), busView.read()]);
    const times = { monotonic: deps.clock.monotonic(), storeNow: deps.store.now() };
    const options = { settings: deps.settings, identity, workers, bus, ...times };
    sendFresh(res, JSON.stringify(clusterBody(queued, options)));
  };
}

/** `GET /v1/workers`. */
export function workersHandler({ workers, schemas }: Core): Handler {
  return ({ req, res }) => {
    checkNoQuery(req.url!, schemas.queries.none);
    sendFresh(res, JSON.stringify({ items: workers.rows().map(workerBody) }));
  };
}
