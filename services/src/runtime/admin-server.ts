import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../ports/logger.ts';
import { keepRoomForNew } from './admin-connections.ts';
import { settlesWithin } from './deadline.ts';
import { ownHosts, type IsOwnHost } from './host-names.ts';
import { isLoopback } from './loopback.ts';

/** Each says null when all is well, or what is wrong. */
export type Checks = Readonly<Record<string, () => string | null>>;

export interface AdminServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Names in `Host` headers that are answered besides those of this machine, on loopback. */
  readonly allowedHosts?: readonly string[];
  /** `/livez`: the process would be better off restarted when one of these is wrong. */
  readonly live?: Checks;
  /** `/readyz`: no requests should come here while one of these is wrong. */
  readonly ready: Checks;
  /** `/healthz` shows all checks, these too, and `info`. */
  readonly health?: Checks;
  /** Facts for people, such as the hashing backend. */
  readonly info?: () => Readonly<Record<string, unknown>>;
  /** `/metrics`. */
  readonly metrics?: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;
  readonly logger: Logger;
  /** Milliseconds for a request to come, and an answer to be taken. Default: 5 s. */
  readonly timeoutMs?: number;
}

/** What a probe answers: 200 when `ok`, otherwise 503. */
interface Verdict {
  readonly status: 'ok' | 'trouble';
  /** `ok`, or what is wrong. */
  readonly checks: Readonly<Record<string, string>>;
  readonly info?: Readonly<Record<string, unknown>>;
}

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Beyond that, connections that are idle make way for new ones. */
const MAX_CONNECTIONS = 64;
/** Whoever holds a connection for longer without saying or taking anything is cut off. */
const REQUEST_MS = 5_000;
/** Late requests are looked for this often. */
const LOOK_MS = 500;
/** Scrapers and probes that keep their connections come again; who pipelines thousands of requests is no scraper. */
const MAX_REQUESTS_PER_CONNECTION = 100;
const STOP_MS = 1_000;

/** Runs all checks. One that throws is wrong. */
export function judge(checks: Checks): Verdict {
  const results = Object.entries(checks).map(([name, check]): [string, string | null] => {
    try {
      return [name, check()];
    } catch (error) {
      return [name, String(error)];
    }
  });
  return {
    status: results.every(([, wrong]) => wrong === null) ? 'ok' : 'trouble',
    checks: Object.fromEntries(results.map(([name, wrong]) => [name, wrong ?? 'ok'])),
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

function probe(read: () => Verdict): Route {
  return (_request, response) => {
    const verdict = read();
    sendJson(response, verdict.status === 'ok' ? 200 : 503, verdict);
  };
}

function routesOf({ live = {}, ready, health = {}, info, metrics }: AdminServerOptions): Map<string, Route> {
  const routes = new Map<string, Route>([
    ['/livez', probe(() => judge(live))],
    ['/readyz', probe(() => judge(ready))],
    [
      '/healthz',
      probe(() => ({ ...judge({ ...live, ...ready, ...health }), ...(info && { info: info() }) })),
    ],
  ]);
  if (metrics) routes.set('/metrics', metrics);
  return routes;
}

/** Probes and metrics on a port that clients do not see. Sources: Kubernetes probes, `/livez` and `/readyz`. */
export class AdminServer {
  readonly name = 'admin';
  readonly #options: AdminServerOptions;
  readonly #routes: Map<string, Route>;
  readonly #isOwnHost: IsOwnHost;
  #server: Server | null = null;
  #starting: Promise<AddressInfo> | null = null;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#routes = routesOf(options);
    // Elsewhere probes come by address, whatever names clients use.
    this.#isOwnHost = isLoopback(options.host)
      ? ownHosts(options.host, options.allowedHosts ?? [])
      : () => true;
  }

  /** Listens; says where. Rejects when the address cannot be had. Further calls join the first. */
  start(): Promise<AddressInfo> {
    this.#starting ??= this.#listen();
    return this.#starting;
  }

  /** Lets answers finish for a second, then closes every connection. Idempotent; `start` may follow. */
  async stop(): Promise<void> {
    const server = this.#server;
    const starting = this.#starting;
    this.#server = null;
    this.#starting = null;
    // Whoever called `start` is told why it failed; here only that it is over.
    await Promise.allSettled([starting]);
    if (!server?.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    if (await settlesWithin(closed, STOP_MS)) return;
    server.closeAllConnections();
    await closed;
  }

  #listen(): Promise<AddressInfo> {
    const { host, port, logger, timeoutMs = REQUEST_MS } = this.#options;
    const server = createServer(
      {
        requestTimeout: timeoutMs,
        headersTimeout: timeoutMs,
        keepAliveTimeout: timeoutMs,
        connectionsCheckingInterval: Math.min(LOOK_MS, timeoutMs),
      },
      (request, response) => void this.#answer(request, response),
    );
    server.timeout = timeoutMs;
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
    keepRoomForNew(server, MAX_CONNECTIONS);
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        reject(new Error(`The admin port ${host}:${port} cannot be had`, { cause: error }));
      });
      server.listen({ host, port }, () => {
        server.on('error', (error) => {
          logger.error('The admin server failed', { error });
        });
        resolve(server.address() as AddressInfo);
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isOwnHost(request.headers.host ?? 'localhost')) {
      const title = 'The service does not go by the name in the Host header; ALLOWED_HOSTS lists others';
      sendJson(response, 421, { status: 421, title });
      return;
    }
    const route = this.#routes.get((request.url ?? '').split('?', 1)[0]!);
    if (!route) {
      sendJson(response, 404, { status: 404, title: 'Not found', paths: [...this.#routes.keys()] });
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      sendJson(response, 405, { status: 405, title: 'Method not allowed' });
      return;
    }
    try {
      await route(request, response);
    } catch (error) {
      this.#options.logger.error('An admin request failed', { path: request.url, error });
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { status: 500, title: 'Internal error' });
    }
  }
}
