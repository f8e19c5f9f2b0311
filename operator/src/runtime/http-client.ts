import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from 'node:http';
import { type Agent as HttpsAgent, request as overHttps, type RequestOptions } from 'node:https';
import { http } from './node-http.ts';

/** One request. What it says of TLS counts for `https:` only. */
export interface Exchange extends Omit<RequestOptions, 'agent' | 'signal' | 'timeout'> {
  readonly url: URL;
  readonly agent: HttpAgent | HttpsAgent;
  readonly body?: string;
  /** Cuts it off with its reason, the answer's body, too. */
  readonly signal: AbortSignal;
  /** For the way to the server and the TLS handshake, in milliseconds. */
  readonly connectMs: number;
}

/** The server cannot be reached in time: nothing was sent. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
  readonly code = 'CONNECT_TIMEOUT';

  constructor(ms: number) {
    super(`no connection within ${ms} ms`);
  }
}

/**
 * Sends it; resolves when the head of the answer is there, with the body still to be read. Rejects with the reason of its
 * signal, `ConnectTimeoutError`, or what the socket failed with.
 */
export function exchange({ url, body, signal, connectMs, ...options }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const send = url.protocol === 'https:' ? overHttps : http.request;
    const request = send(url, { ...options, signal });
    // Node says it by itself only for methods that usually have a body; a server would take it for the next request.
    if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body));
    boundConnecting(request, connectMs);
    request.once('response', resolve);
    // Stays for as long as the socket does: after the answer's head it is the body that fails.
    request.on('error', (error) => reject(reasonOf(signal, error)));
    request.end(body);
  });
}

/** The whole body. Rejects as `exchange` does, and when there are more than `maxBytes`. */
export async function readText(
  answer: IncomingMessage,
  signal: AbortSignal,
  maxBytes = Infinity,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw reasonOf(signal, error);
  }
  return Buffer.concat(chunks).toString();
}

/** Node says that something was aborted, the signal says why. */
function reasonOf(signal: AbortSignal, error: unknown): Error {
  return (signal.aborted ? signal.reason : error) as Error;
}

function boundConnecting(request: ClientRequest, ms: number): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) return;
    const timer = setTimeout(() => request.destroy(new ConnectTimeoutError(ms)), ms);
    const connected = 'encrypted' in socket ? 'secureConnect' : 'connect';
    for (const event of [connected, 'close']) socket.once(event, () => clearTimeout(timer));
  });
}
