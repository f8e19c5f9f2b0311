import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Core } from './core.ts';
import { sendProblem } from './http/answer.ts';
import { asRequestHandler, type Handler } from './http/exchange.ts';
import { problemOf, refuse } from './problems.ts';
import { indexHandler, openApiHandler } from './routes/about.ts';
import { cancelHandler } from './routes/cancel.ts';
import { clusterHandler, workersHandler } from './routes/cluster.ts';
import { EventStreams } from './routes/events.ts';
import { completedHandler, jobHandler, listHandler } from './routes/read.ts';
import { enqueueHandler, submitHandler } from './routes/submit.ts';

/** The HTTP side of an endpoint, apart from listening. */
export interface App {
  /** A request listener for `node:http`. */
  readonly handle: Express;
  readonly streams: EventStreams;
  /** From now on every request is turned away. */
  refuseAll(): void;
  stop(): void;
}

type Method = 'get' | 'post' | 'put' | 'delete';

interface Route {
  readonly path: string;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
}

/** Every route, the busiest first: express looks through them in order. */
function routesOf(core: Core, streams: EventStreams): Route[] {
  return [
    { path: '/v1/jobs', methods: { post: submitHandler(core), get: listHandler(core) } },
    { path: '/v1/jobs/:id', methods: { get: jobHandler(core), delete: cancelHandler(core) } },
    { path: '/enqueue', methods: { put: enqueueHandler(core) } },
    { path: '/pullCompleted', methods: { post: completedHandler(core) } },
    { path: '/v1/jobs/:id/events', methods: { get: streams.handler() } },
    { path: '/v1/cluster', methods: { get: clusterHandler(core) } },
    { path: '/v1/workers', methods: { get: workersHandler(core) } },
    { path: '/openapi.json', methods: { get: openApiHandler(core) } },
    { path: '/', methods: { get: indexHandler(core) } },
  ];
}

/** What is possible on a path, as `Allow` says it. */
function allowOf(route: Route): string {
  const methods = Object.keys(route.methods).map((method) => method.toUpperCase());
  if (methods.includes('GET')) methods.push('HEAD');
  return [...methods, 'OPTIONS'].join(', ');
}

/** Other methods: `OPTIONS` tells what is possible, the rest is refused. */
function otherMethods(allow: string): Handler {
  return ({ req, res }) => {
    if (req.method !== 'OPTIONS')
      refuse('method-not-allowed', `${req.method} is not possible here; ${allow} are.`, {
        headers: { Allow: allow },
      });
    res.writeHead(204, { Allow: allow }).end();
  };
}

const unknownRoute: Handler = ({ req, res }) => {
  // RFC 9110 §9.3.7: asks for what the server as a whole can do.
  if (req.method === 'OPTIONS' && req.url === '*') {
    res.writeHead(204, { Allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' }).end();
    return;
  }
  refuse('unknown-path', `There is nothing at ${req.url?.split('?', 1)[0]?.slice(0, 200)}.`);
};

/** The application: the gate first, then the routes, then a problem for whatever is left. Does not listen. */
export function createApp(core: Core): App {
  const { settings, clock, logger, tracer } = core.deps;
  const app = express();
  for (const feature of ['x-powered-by', 'etag', 'query parser']) app.disable(feature);
  for (const feature of ['case sensitive routing', 'strict routing']) app.enable(feature);
  app.set('trust proxy', settings.trustProxyHops || false);

  const { gate } = core;
  app.use(gate.check);

  const streams = new EventStreams(core);
  const exchange = { clock, logger, tracer, duration: core.metrics.duration, shed: core.shed };
  for (const route of routesOf(core, streams)) {
    const path = app.route(route.path);
    for (const [method, handler] of Object.entries(route.methods) as [Method, Handler][])
      path[method](asRequestHandler(route.path, handler, exchange));
    path.all(asRequestHandler(route.path, otherMethods(allowOf(route)), exchange));
  }
  app.use(asRequestHandler('unknown', unknownRoute, exchange));
  // Express knows an error handler by its four parameters.
  const onError: ErrorRequestHandler = (error, req, res, _next) => sendProblem(req, res, problemOf(error));
  app.use(onError);
  return {
    handle: app,
    streams,
    refuseAll: () => gate.refuseAll(),
    stop: () => gate.stop(),
  };
}
