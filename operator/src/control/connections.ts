import { createHash } from 'node:crypto';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { TlsOptions } from './credentials.ts';

export interface ConnectionsOptions {
  /** An HTTP proxy on the way to the server; null: none. */
  readonly proxyUrl: string | null;
  readonly connectTimeoutMs: number;
}

const KEEP_ALIVE_MS = 30_000;

/**
 * The pool of connections to one server. HTTP/1.1 only: each watch has a connection of its own, so that what cuts one
 * leaves the others alone. The pool is replaced when the TLS options change; what runs on the old one finishes there.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  #current: { readonly key: string; readonly pool: Dispatcher } | null = null;
  readonly #old = new Set<Dispatcher>();
  #stopped = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Throws when it is stopped. */
  pool(tls: TlsOptions): Dispatcher {
    if (this.#stopped) throw new Error('The connections to the API server are closed');
    const key = fingerprint(tls);
    if (this.#current?.key !== key) {
      if (this.#current) this.#retire(this.#current.pool);
      this.#current = { key, pool: this.#open(tls) };
    }
    return this.#current.pool;
  }

  /** Cuts everything off. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const pools = [...this.#old, ...(this.#current ? [this.#current.pool] : [])];
    this.#current = null;
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(tls: TlsOptions): Dispatcher {
    const { proxyUrl, connectTimeoutMs } = this.#options;
    const connect = {
      ...tls,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    };
    // Each request has bounds of its own; a watch is silent for longer than any of these.
    const common = { headersTimeout: 0, bodyTimeout: 0, allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS };
    if (proxyUrl === null) return new Agent({ ...common, connect });
    if (!/^https?:/.test(proxyUrl)) throw new Error(`Only HTTP proxies are supported, not ${proxyUrl}`);
    return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: connect });
  }

  #retire(pool: Dispatcher): void {
    this.#old.add(pool);
    void pool.close().finally(() => this.#old.delete(pool));
  }
}

function fingerprint(tls: TlsOptions): string {
  const hash = createHash('sha256');
  for (const [name, value] of Object.entries(tls)) {
    hash.update(`${name}\0`).update(typeof value === 'boolean' ? String(value) : (value as string | Buffer));
  }
  return hash.digest('hex');
}
