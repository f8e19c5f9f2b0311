import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keepRoomForNew } from './admin-connections.ts';
import type { Logger } from './log.ts';
import { http } from './node-http.ts';

/** Each says null when all is well, or what is wrong. */
export type Checks = Readonly<Record<string, () => string | null>>;

export interface AdminServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** `/livez`: the process would be better off restarted when one of these is wrong. */
  readonly live: Checks;
  /** `/readyz`. */
  readonly ready: Checks;
  /** `/healthz` shows all checks and these facts. */
  readonly info: () => Readonly<Record<string, unknown>>;
  /** `/metrics`. */
  readonly scrape: (response: ServerResponse) => Promise<void>;
  readonly logger: Logger;
  /** Milliseconds for a request to come, and an answer to be taken. Default: 5 s. */
  readonly timeoutMs?: number;
}

/** Beyond that, connections that are idle make way for new ones. */
const MAX_CONNECTIONS = 64;
/** Whoever holds a connection for longer without saying or taking anything is cut off. */
const REQUEST_MS = 5_000;
/** Late requests are looked for this often. */
const LOOK_MS = 500;
/** Scrapers and probes that keep their connections come again; who pipelines thousands of requests is no scraper. */
const MAX_REQUESTS_PER_CONNECTION = 100;

function judge(checks: Checks): { status: 'ok' | 'trouble'; checks: Record<string, string> } {
  const results = Object.entries(checks).map(([name, check]): [string, string | null] => [name, check()]);
  return {
    status: results.every(([, wrong]) => wrong === null) ? 'ok' : 'trouble',
    checks: Object.fromEntries(results.map(([name, wrong]) => [name, wrong ?? 'ok'])),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Probes and metrics on one port. */
export class AdminServer {
  readonly name = 'admin';
  readonly #options: AdminServerOptions;
  #server: Server | null = null;

  constructor(options: AdminServerOptions) {
    this.#options = options;
  }

  /** Listens; says where. Rejects when the address cannot be had. */
  start(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    const server = (this.#server ??= this.#createServer());
    if (server.listening) return Promise.resolve(server.address() as AddressInfo);
    return new Promise((resolve, reject) => {
      server.once('error', (cause) => {
        reject(new Error(`The admin port ${host}:${port} cannot be had`, { cause }));
      });
      server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
    });
  }

  #createServer(): Server {
    const { logger, timeoutMs = REQUEST_MS } = this.#options;
    const server = http.createServer(
      {
        requestTimeout: timeoutMs,
        headersTimeout: timeoutMs,
        keepAliveTimeout: timeoutMs,
        connectionsCheckingInterval: Math.min(LOOK_MS, timeoutMs),
      },
      (request, response) => {
        void this.#answer(request, response).catch((error: unknown) => {
          logger.error('An admin request failed', { path: request.url, error });
          if (response.headersSent) response.destroy();
          else send(response, 500, { status: 500, title: 'Internal error' });
        });
      },
    );
    server.timeout = timeoutMs;
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
    keepRoomForNew(server, MAX_CONNECTIONS);
    return server;
  }

  /** Closes every connection. Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server?.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #answer({ url = '', method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { live, ready, info, scrape } = this.#options;
    const probe = (checks: Checks, extra = {}): void => {
      const verdict = judge(checks);
      send(response, verdict.status === 'ok' ? 200 : 503, { ...verdict, ...extra });
    };
    if (method !== 'GET' && method !== 'HEAD') {
      send(response.setHeader('allow', 'GET, HEAD'), 405, { status: 405, title: 'Method not allowed' });
      return;
    }
    switch (url.split('?', 1)[0]) {
      case '/livez':
        return probe(live);
      case '/readyz':
        return probe(ready);
      case '/healthz':
        return probe({ ...live, ...ready }, { info: info() });
      case '/metrics':
        return scrape(response);
      default:
        send(response, 404, { status: 404, title: 'Not found' });
    }
  }
}
