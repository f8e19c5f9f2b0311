import { request, type Agent, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, parsed; null where it is no JSON. */
  readonly json: Readonly<Record<string, unknown>> | null;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent without a length. */
  readonly body?: string | Buffer | Readable;
  readonly agent?: Agent;
}

function parsed(text: string): Reply['json'] {
  try {
    return JSON.parse(text) as Reply['json'];
  } catch {
    return null;
  }
}

/** One request. An answer that comes before the request is complete counts as any other. */
export function call(url: string, { method = 'GET', headers = {}, body, agent }: Call = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method, headers, agent: agent ?? false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: res.statusCode!, headers: res.headers, text, json: parsed(text) });
        if (!req.writableEnded) req.destroy();
      });
    });
    req.on('error', reject);
    if (body !== undefined && typeof body === 'object' && 'pipe' in body) body.pipe(req);
    else req.end(body);
  });
}

/** `POST /v1/jobs` with something as JSON, or with text as it is. */
export function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  return call(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
}

/** A connection that says just what it is told to. */
export interface Raw {
  readonly socket: Socket;
  /** All that came back so far. */
  readonly text: () => string;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<unknown>;
}

/** Opens a connection and sends text on it. */
export async function raw(port: number, text = ''): Promise<Raw> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => socket.destroy());
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  socket.write(text);
  return { socket, text: () => received, closed };
}
