import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** An event that says nothing. Source: WHATWG HTML, 9.2.6 "Interpreting an event stream". */
const NOTHING = ':\n\n';
/** Milliseconds between one probe and the next. */
const PROBE_MS = 500;

/**
 * Clients that have closed their side of the connection while an answer is under way. TCP does not tell one that has only
 * said all it has to say, and gets its answer, from one that is gone. So something is sent that means nothing: the system
 * of a client that is gone answers with a reset, and what is sent next fails, which ends the request.
 * Source: RFC 9293 §3.6, RFC 9110 §15.2.
 */
export class HalfClosed {
  readonly #answers = new WeakMap<Socket, ServerResponse>();

  /** Keeps connections open that are closed on one side. */
  watch(server: Server): void {
    // Node has it, its types do not.
    (server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
    server.on('connection', (socket: Socket) => {
      socket.on('end', () => this.#probe(socket));
    });
  }

  /** To be told of each request. */
  answering({ socket }: IncomingMessage, res: ServerResponse): void {
    this.#answers.set(socket, res);
  }

  #probe(socket: Socket): void {
    const res = this.#answers.get(socket);
    if (!res || res.writableEnded || res.destroyed) return;
    // HTTP/1.0 knows no interim answers: there every client counts as gone.
    if (res.req.httpVersion === '1.0') return void socket.destroy();
    probe(res);
    const timer = setInterval(() => probe(res), PROBE_MS);
    res.once('close', () => clearInterval(timer));
  }
}

/** An interim answer before the answer; an event that says nothing within a stream of events; otherwise the answer is under way. */
function probe(res: ServerResponse): void {
  if (!res.headersSent) res.writeProcessing();
  else if (!res.writableEnded && res.req.url?.endsWith('/events')) res.write(NOTHING);
}
