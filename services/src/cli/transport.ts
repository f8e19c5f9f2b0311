import { setTimeout as sleep } from 'node:timers/promises';
import { connectionTrouble } from './connection.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { formatDuration } from './format.ts';
import { troubleOf } from './problem.ts';
import { retryAfterMs, waitBeforeRetry, type Trouble } from './retry.ts';
import type { Upload } from './upload.ts';
import { Watchdog } from './watchdog.ts';

/** The longest wait for an answer, or for the service to take in the next piece of an upload. */
const ANSWER_MS = 30_000;

/** The longest body of an error that is read, and of any other answer, in characters. */
const MAX_ERROR_CHARS = 65_536;
const MAX_ANSWER_CHARS = 67_108_864;

/**
 * How `fetch` sends a body as it comes. Without `window: null` and `redirect: 'error'` it keeps a copy of the whole body,
 * to be able to send it to another address. Source: WHATWG Fetch, 4.5 "HTTP-network-or-cache fetch", step 2.
 */
const STREAMED = { duplex: 'half', redirect: 'error', window: null } as const;

export interface TransportOptions {
  readonly server: URL;
  /** How long to go on trying while the service is away or sheds load, in milliseconds; 0: one attempt. */
  readonly budgetMs: number;
  readonly userAgent: string;
  /** Ends everything; its reason is what is thrown. */
  readonly signal: AbortSignal;
  /** Told once per request that has to be tried again. */
  readonly notice: (text: string) => void;
}

/** A request that may be repeated without harm. */
export interface Call {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Below the server's address, without a slash at the start. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly upload?: Upload;
}

/** An answer whose body is still to be read. `watchdog` can end it, and must be closed. */
export interface Opened {
  readonly response: Response;
  readonly watchdog: Watchdog;
}

/** What went wrong in the data that is sent, if anything. */
interface Source {
  error?: Error;
}

/** What a call brought: the status, and the body if it is of the kind that was asked for. */
export interface Answered<T> {
  readonly status: number;
  readonly body: T;
}

/**
 * Sends requests, and sends them again while the service cannot be reached, sheds load or limits the rate: with backoff
 * and jitter, within the budget. Rejects with `CliError`, or with the reason of the signal.
 */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** The server's address as the user knows it. */
  get server(): string {
    return this.#options.server.href.replace(/\/$/, '');
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** A JSON answer of the kind that `is` knows. */
  async json<T>(call: Call, is: (value: unknown) => value is T): Promise<Answered<T>> {
    const body = await this.#retried(call, async (opened) => {
      const text = await readText(opened.response, MAX_ANSWER_CHARS);
      return { status: opened.response.status, text };
    });
    const value = parsed(body.text);
    if (is(value)) return { status: body.status, body: value };
    throw this.stranger();
  }

  /** An answer that is read as it comes. */
  async stream(call: Call): Promise<Opened> {
    return this.#retried(call, (opened) => Promise.resolve(opened), true);
  }

  /** The error of a server that is not ours. */
  stranger(): CliError {
    const what = `${this.server} does not answer as HashCluster does. Is --server right?`;
    return new CliError(EXIT.unavailable, what);
  }

  /** `stays`: the answer is still open when `read` is done with it. */
  async #retried<T>(call: Call, read: (opened: Opened) => Promise<T>, stays = false): Promise<T> {
    const { budgetMs, signal, notice } = this.#options;
    const end = performance.now() + budgetMs;
    for (let attempt = 0; ; attempt++) {
      const result = await this.#attempt(call, read, stays);
      if ('done' in result) return result.done;
      const left = end - performance.now();
      const wait = waitBeforeRetry(result, attempt, left, Math.random);
      if (wait === null) throw result.error;
      if (call.upload?.canOpen() === false) throw unrepeatable(result.error);
      if (attempt === 0) notice(`${result.error.message} Trying again for ${formatDuration(left / 1_000)}.`);
      await sleep(wait, null, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async #attempt<T>(
    call: Call,
    read: (opened: Opened) => Promise<T>,
    stays: boolean,
  ): Promise<{ done: T } | Trouble> {
    const { signal, server } = this.#options;
    const watchdog = new Watchdog(ANSWER_MS);
    const source: Source = {};
    let open = false;
    try {
      watchdog.arm();
      const response = await fetch(urlOf(server, call), {
        ...this.#init(call, watchdog, source),
        signal: AbortSignal.any([signal, watchdog.signal]),
      });
      watchdog.arm();
      if (!response.ok) return await this.#refusal(response);
      const done = await read({ response, watchdog });
      open = stays;
      return { done };
    } catch (error) {
      signal.throwIfAborted();
      if (source.error) throw source.error;
      return connectionTrouble(watchdog.signal.aborted ? watchdog.signal.reason : error, this.server);
    } finally {
      if (open) watchdog.disarm();
      else watchdog.close();
    }
  }

  #init(call: Call, watchdog: Watchdog, source: Source): RequestInit {
    const { userAgent } = this.#options;
    const { method, headers, upload } = call;
    const init = {
      method,
      headers: { 'user-agent': userAgent, accept: 'application/json', ...headers },
    };
    return upload ? { ...init, ...STREAMED, body: watched(upload, watchdog, source) } : init;
  }

  async #refusal(response: Response): Promise<Trouble> {
    const body = await readText(response, MAX_ERROR_CHARS);
    const { status, headers } = response;
    const contentType = headers.get('content-type') ?? '';
    const after = retryAfterMs(headers.get('retry-after'), Date.now());
    return troubleOf({ status, body, contentType, retryAfterMs: after }, this.server);
  }
}

function urlOf(server: URL, { path, query = {} }: Call): URL {
  const url = new URL(path, server);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

/**
 * The upload's data. The watchdog counts only while the other side has to act, so that a slow source is no fault of the
 * service. What goes wrong in the source is kept apart.
 */
async function* watched(upload: Upload, watchdog: Watchdog, source: Source): AsyncGenerator<Uint8Array> {
  watchdog.disarm();
  try {
    for await (const chunk of upload.open()) {
      watchdog.arm();
      yield chunk;
      watchdog.disarm();
    }
  } catch (error) {
    source.error = error instanceof Error ? error : new Error(String(error));
    throw error;
  }
  watchdog.arm();
}

function unrepeatable(error: CliError): CliError {
  const hint = 'What was piped in cannot be read again: run the command once more, or give it a file.';
  return new CliError(error.exitCode, error.message, [...error.details, hint]);
}

async function readText(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > limit) break;
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
