import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Histogram, Labels } from '../../ports/metrics.ts';
import type { Span, TraceCarrier, Tracer } from '../../ports/tracer.ts';
import { ClientGoneError, problemOf, statusOf } from '../problems.ts';
import type { ShedLog } from '../shed-log.ts';
import { sendProblem } from './answer.ts';

/** One request and its answer. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Values of the path, such as `id`. */
  readonly params: Readonly<Record<string, string>>;
  /** Null when nobody traces. */
  readonly traceId: string | null;
}

export type Handler = (exchange: Exchange) => Promise<void> | void;

/** What every handler is wrapped with. */
export interface ExchangeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracer: Tracer;
  /** Seconds, by route, method and status. */
  readonly duration: Histogram;
  readonly shed: ShedLog;
}

const NO_CARRIER: TraceCarrier = {};

function carrierOf(req: IncomingMessage): TraceCarrier {
  const { traceparent, tracestate } = req.headers;
  if (typeof traceparent !== 'string') return NO_CARRIER;
  return typeof tracestate === 'string' ? { traceparent, tracestate } : { traceparent };
}

/** Labels are made once per method and status: recording is on the path of every request. */
function labelCache(route: string): (method: string, status: number) => Labels {
  const cache = new Map<string, Labels[]>();
  return (method, status) => {
    const known = cache.get(method);
    const labels = known?.[status];
    if (labels) return labels;
    const made = { 'http.route': route, 'http.request.method': method, 'http.response.status_code': status };
    const ofMethod = known ?? [];
    ofMethod[status] = made;
    cache.set(method, ofMethod);
    return made;
  };
}

/** A handler as express wants it: with a span, a measured duration, and a problem for whatever it throws. */
export function asRequestHandler(route: string, handler: Handler, deps: ExchangeDeps): RequestHandler {
  const { clock, tracer, duration } = deps;
  const labelsOf = labelCache(route);
  return (req, res) => {
    const startedAt = clock.monotonic();
    const method = req.method;
    const labels = { 'http.route': route, 'http.request.method': method };
    const span = tracer.start(`${method} ${route}`, 'server', labels, carrierOf(req));
    const exchange: Exchange = {
      req,
      res,
      params: req.params as Record<string, string>,
      traceId: span.traceId,
    };
    const done = (error?: unknown): void => {
      if (error !== undefined) answerError(error, exchange, deps);
      duration.record((clock.monotonic() - startedAt) / 1000, labelsOf(method, res.statusCode));
      endSpan(span, res.statusCode, error);
    };
    run(handler, exchange, done);
  };
}

function run(handler: Handler, exchange: Exchange, done: (error?: unknown) => void): void {
  let running: Promise<void> | void;
  try {
    running = handler(exchange);
  } catch (error) {
    done(error);
    return;
  }
  if (running)
    running.then(
      () => done(),
      (error: unknown) => done(error ?? new Error('rejected without a reason')),
    );
  else done();
}

function endSpan(span: Span, status: number, error: unknown): void {
  if (span.traceId !== null) span.set({ 'http.response.status_code': status });
  span.end(status >= 500 && error instanceof Error ? error : undefined);
}

function answerError(error: unknown, { req, res, traceId }: Exchange, { logger, shed }: ExchangeDeps): void {
  if (error instanceof ClientGoneError) {
    logger.debug('The client went away', { method: req.method, path: req.url, traceId });
    return;
  }
  const what = problemOf(error);
  if (statusOf(what) === 503) shed.note(what.slug);
  else if (statusOf(what) >= 500)
    logger.error('A request failed', {
      problem: what.slug,
      method: req.method,
      path: req.url,
      traceId,
      error,
    });
  sendProblem(req, res, what);
}
