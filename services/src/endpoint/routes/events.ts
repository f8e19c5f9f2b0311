import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { JobView } from '../../jobs/job.ts';
import type { Core } from '../core.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { checkNoQuery } from '../http/query.ts';
import { refuse } from '../problems.ts';
import { tenantOf } from '../tenant.ts';
import { EventStream, parseLastEventId } from '../work/event-stream.ts';
import { renderJob } from './one-job.ts';
import { idOf, unknownJob } from './read.ts';

const STREAM_HEADERS = [
  ...['Content-Type', 'text/event-stream'],
  ...['Cache-Control', 'no-store'],
  // Asks proxies of the nginx family not to hold events back.
  ...['X-Accel-Buffering', 'no'],
];

/** The event streams that are open. */
export class EventStreams {
  readonly #core: Core;
  readonly #streams = new Set<EventStream>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(core: Core) {
    this.#core = core;
  }

  get size(): number {
    return this.#streams.size;
  }

  start(): void {
    const beat = (): void => this.#streams.forEach((stream) => stream.beat());
    this.#timer ??= setInterval(beat, this.#core.deps.settings.sseHeartbeatMs);
  }

  /** Ends every stream; clients come again elsewhere, with the id they have seen last. Idempotent. */
  stop(): void {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    for (const stream of this.#streams) stream.close();
  }

  /** `GET /v1/jobs/{id}/events`. */
  handler(): Handler {
    return async (exchange) => {
      const id = idOf(exchange);
      const { deps, schemas, watchers, lookups } = this.#core;
      checkNoQuery(exchange.req.url!, schemas.queries.none);
      if (this.#streams.size >= deps.settings.maxSseStreams || !watchers.hasRoomFor(1))
        refuse('overloaded', 'Too many event streams are open. Try again in a moment.');
      const tenant = tenantOf(exchange.req);
      const stream = this.#stream(exchange);
      this.#streams.add(stream);
      // Watching begins before looking, so that nothing happens unseen in between.
      watchers.add(tenant, id, stream);
      try {
        const view = await lookups.get(tenant, id);
        if (!view) unknownJob(id);
        await this.#follow(exchange, stream, view);
      } finally {
        watchers.remove(id, stream);
        this.#streams.delete(stream);
      }
    };
  }

  async #follow({ req, res }: Exchange, stream: EventStream, view: JobView): Promise<void> {
    if (view.kind === 'result' && parseLastEventId(req.headers['last-event-id'] as string) === 'end') {
      // Nothing is left to tell. Source: WHATWG HTML: a client that gets 204 does not come again.
      res.writeHead(204).end();
      return;
    }
    res.writeHead(200, STREAM_HEADERS);
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    // The client shall know that it is connected, also when there is nothing to tell yet.
    res.flushHeaders();
    stream.open(view);
    if (this.#closed) stream.close();
    await closed(res);
  }

  #stream({ req, res }: Exchange): EventStream {
    const { shed, workers } = this.#core;
    return new EventStream({
      res,
      seen: parseLastEventId(req.headers['last-event-id'] as string | undefined),
      render: (view) => renderJob(this.#core, view),
      positionOf: (view) => {
        if (view.kind === 'result') return view.result.iterations;
        const said = view.job.owner === null ? null : workers.progressOf(view.job.id);
        return Math.max(view.job.position, said?.position ?? 0);
      },
      onSlow: () => {
        shed.note('slow-reader');
      },
    });
  }
}

async function closed(res: ServerResponse): Promise<void> {
  if (!res.closed) await once(res, 'close');
}
