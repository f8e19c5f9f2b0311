import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Exchange, exchange } from '../runtime/http-client.ts';
import { http } from '../runtime/node-http.ts';
import type { TlsOptions } from './credentials.ts';

export interface ConnectionsOptions {
  readonly server: URL;
  /** An HTTP proxy on the way to the server; null: none. */
  readonly proxyUrl: string | null;
  readonly connectMs: number;
}

const KEEP_ALIVE_MS = 30_000;

/**
 * The connections to one server, kept for the next request. HTTP/1.1 only: each watch has a connection of its own, so
 * that what cuts one leaves the others alone. Node keeps those of other TLS options apart: when a certificate changes,
 * what runs finishes where it began, and the old connections close when nobody has used them for a while.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  #stopped = false;

  /** Throws when the proxy is of a kind that is not supported. */
  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { server, proxyUrl } = options;
    const kept = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, timeout: KEEP_ALIVE_MS };
    const proxied = proxyUrl === null ? kept : { ...kept, proxyEnv: throughProxy(proxyUrl) };
    this.#agent = server.protocol === 'https:' ? new HttpsAgent(proxied) : new http.Agent(proxied);
  }

  /** Rejects as `exchange` does, and when it is stopped. */
  async send(
    request: Omit<Exchange, 'agent' | 'connectMs' | keyof TlsOptions>,
    tls: TlsOptions,
  ): Promise<IncomingMessage> {
    if (this.#stopped) throw new Error('The connections to the API server are closed');
    return exchange({ ...request, ...tls, agent: this.#agent, connectMs: this.#options.connectMs });
  }

  /** Cuts everything off. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#agent.destroy();
  }
}

function throughProxy(url: string): { readonly HTTP_PROXY: string; readonly HTTPS_PROXY: string } {
  if (!/^https?:/.test(url)) throw new Error(`Only HTTP proxies are supported, not ${url}`);
  return { HTTP_PROXY: url, HTTPS_PROXY: url };
}
