import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { readText } from '../runtime/http-client.ts';
import type { ApiAccess } from './access.ts';
import { backoffMs, pause } from './backoff.ts';
import { Connections } from './connections.ts';
import { Credentials } from './credentials.ts';
import { deadline } from './deadline.ts';
import { ApiError, ConnectionError, parseStatus } from './errors.ts';
import { ServerClock } from './server-clock.ts';
import { TokenBucket } from './token-bucket.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's root: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: `application/json`. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** For one attempt. Default: that of the transport. */
  readonly timeoutMs?: number;
  /**
   * Whether it is sent again: `always` (when the answer is an overload, a fault, or lost: for what may happen twice),
   * `refused` (only when the server has certainly not done it), `never`. Default: `always` for GET, else `refused`.
   */
  readonly again?: 'always' | 'refused' | 'never';
}

/** One attempt, as metrics see it: `status` is 0 when there was no answer. */
export interface Attempt {
  readonly method: ApiRequest['method'];
  readonly status: number;
  readonly seconds: number;
}

export interface TransportOptions {
  readonly config: ApiAccess;
  /** Requests per second, and how many at once after a quiet time. */
  readonly perSecond?: number;
  readonly burst?: number;
  /** For one attempt of a request that does not say. */
  readonly timeoutMs?: number;
  /** All attempts of a request and the waits between them begin within this many milliseconds. */
  readonly retryBudgetMs?: number;
  readonly userAgent?: string;
  readonly onAttempt?: (attempt: Attempt) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const DEFAULTS = {
  perSecond: 50,
  burst: 100,
  timeoutMs: 15_000,
  retryBudgetMs: 30_000,
  userAgent: 'hashcluster-operator',
};
const CONNECT_MS = 5_000;
const RETRY = { baseMs: 200, capMs: 5_000 };

/** An answer that goes on, as watches do. */
export interface OpenStream {
  readonly body: Readable;
  readonly close: () => void;
}

/**
 * Speaks JSON with one API server, over one pool of connections: bounded in rate and time, and repeated where that is
 * safe. Objects go in and out as they are, so that fields which this code does not know survive.
 * Throws `ApiError` and `ConnectionError`, or the signal's reason.
 */
export class Transport {
  /** The API server's clock. */
  readonly time: ServerClock;
  readonly #options: TransportOptions & typeof DEFAULTS;
  readonly #server: URL;
  readonly #credentials: Credentials;
  readonly #connections: Connections;
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();

  /** Throws when the configuration names no server. */
  constructor(options: TransportOptions) {
    const cluster = options.config.getCurrentCluster();
    if (!cluster) throw new Error('The kubeconfig has no current cluster');
    this.#options = { ...DEFAULTS, ...options };
    this.#clock = options.clock ?? systemClock;
    this.time = new ServerClock(this.#clock);
    this.#server = new URL(cluster.server);
    this.#credentials = new Credentials(options.config, this.#clock);
    this.#connections = new Connections({
      ...{ server: this.#server, proxyUrl: cluster.proxyUrl ?? null, connectMs: CONNECT_MS },
    });
    const { perSecond, burst } = this.#options;
    this.#bucket = new TokenBucket({ perSecond, burst, clock: this.#clock });
  }

  /** The answer's body. */
  async request<T = unknown>(request: ApiRequest): Promise<T> {
    const { retryBudgetMs, random = Math.random } = this.#options;
    const end = this.#clock.monotonic() + retryBudgetMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return (await this.#attempt(request)) as T;
      } catch (error) {
        request.signal?.throwIfAborted();
        this.#stopping.signal.throwIfAborted();
        if (attempt > 0 || !this.#forgetRefused(error)) {
          if (!worthAgain(request, error)) throw error;
          const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
          const waitMs = Math.max(asked, backoffMs(attempt, RETRY, random));
          if (this.#clock.monotonic() + waitMs >= end) throw error;
          await this.#pause(waitMs, request.signal);
        }
      }
    }
  }

  /** A long answer, which has no bound of its own. Not repeated. */
  async stream(request: ApiRequest): Promise<OpenStream> {
    const closing = new AbortController();
    const watch = deadline(
      request.timeoutMs ?? this.#options.timeoutMs,
      'no answer',
      request.signal,
      this.#stopping.signal,
    );
    const onDeadline = (): void => closing.abort(watch.signal.reason);
    watch.signal.addEventListener('abort', onDeadline);
    try {
      await this.#bucket.take(watch.signal);
      const body = await this.#send(request, closing.signal);
      return { body, close: () => void body.destroy() };
    } catch (error) {
      request.signal?.throwIfAborted();
      this.#forgetRefused(error);
      throw error;
    } finally {
      // From here on whoever reads the stream decides how long.
      watch.signal.removeEventListener('abort', onDeadline);
      watch.end();
    }
  }

  /** Cuts off what is under way. Idempotent. */
  stop(): Promise<void> {
    this.#stopping.abort(new Error('The transport has stopped'));
    this.#connections.stop();
    return Promise.resolve();
  }

  async #attempt(request: ApiRequest): Promise<unknown> {
    const { timeoutMs = this.#options.timeoutMs } = request;
    // Waiting for one's turn is no fault of the server.
    await this.#turn(request.signal);
    const bound = deadline(timeoutMs, 'no answer', request.signal, this.#stopping.signal);
    try {
      const answer = await this.#send(request, bound.signal);
      return parseBody(
        named(request),
        await readText(answer, bound.signal).catch(asConnectionError(request)),
      );
    } finally {
      bound.end();
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const bound = deadline(this.#options.retryBudgetMs, 'no turn', signal, this.#stopping.signal);
    try {
      await this.#bucket.take(bound.signal);
    } finally {
      bound.end();
    }
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const begun = this.#clock.monotonic();
    let status = 0;
    try {
      const { tls, headers } = await this.#credentials.get();
      const answer = await this.#connections
        .send({ ...this.#wire(request, headers), signal }, tls)
        .catch(asConnectionError(request));
      status = answer.statusCode!;
      this.time.learn(answer.headers.date);
      if (status >= 400) await throwApiError(named(request), answer, signal);
      return answer;
    } finally {
      const seconds = (this.#clock.monotonic() - begun) / 1000;
      this.#options.onAttempt?.({ method: request.method, status, seconds });
    }
  }

  #wire(request: ApiRequest, headers: Readonly<Record<string, string>>) {
    const { method, path, query = {}, body, contentType = 'application/json' } = request;
    const url = new URL(`${this.#server.pathname.replace(/\/$/, '')}${path}`, this.#server);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return {
      url,
      method,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': this.#options.userAgent,
        ...(body !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
  }

  /** True when the server refused the credentials; they are read anew then. */
  #forgetRefused(error: unknown): boolean {
    const refused = error instanceof ApiError && error.status === 401;
    if (refused) this.#credentials.forget();
    return refused;
  }

  async #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await pause(ms, signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal);
  }
}

function named({ method, path }: ApiRequest): string {
  return `${method} ${path}`;
}

function worthAgain(request: ApiRequest, error: unknown): boolean {
  const again = request.again ?? (request.method === 'GET' ? 'always' : 'refused');
  if (again === 'never') return false;
  if (error instanceof ConnectionError) return again === 'always' || error.unsent;
  if (!(error instanceof ApiError)) return false;
  return error.status === 429 || (error.status >= 500 && error.status !== 501 && again === 'always');
}

function asConnectionError(request: ApiRequest): (cause: unknown) => never {
  return (cause) => {
    throw new ConnectionError(named(request), cause);
  };
}

function parseBody(request: string, text: string): unknown {
  try {
    return text === '' ? null : (JSON.parse(text) as unknown);
  } catch (cause) {
    throw new ConnectionError(request, new Error('the answer is not JSON', { cause }));
  }
}

async function throwApiError(request: string, answer: IncomingMessage, signal: AbortSignal): Promise<never> {
  const text = await readText(answer, signal).catch(() => '');
  const header = answer.headers['retry-after'];
  const seconds = header !== undefined && /^\d+$/.test(header) ? Number(header) : null;
  throw new ApiError(
    request,
    answer.statusCode!,
    parseStatus(text),
    seconds === null ? null : seconds * 1000,
  );
}
