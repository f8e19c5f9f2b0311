import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Waiting {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly handle: RequestListener;
}

/** Requests that one connection may have sent before the answer to the first is complete. */
const MAX_WAITING = 1_000;

/**
 * Handles the requests of a connection one after the other. Node would begin with all that a client has pipelined, and
 * keep their answers until it is their turn. Source: RFC 9112 §9.3.2: answers come in the order of the requests.
 */
export class Pipelines {
  readonly #onTooMany: () => void;
  /** Of connections on which a request is being handled: those behind it. */
  readonly #waiting = new WeakMap<Socket, Waiting[]>();

  constructor(onTooMany: () => void) {
    this.#onTooMany = onTooMany;
  }

  /** Handles a request as soon as those before it are answered. A connection with too many of them is closed. */
  handle(req: IncomingMessage, res: ServerResponse, handle: RequestListener): void {
    const { socket } = req;
    const waiting = this.#waiting.get(socket);
    if (!waiting) {
      this.#waiting.set(socket, []);
      this.#start({ req, res, handle });
    } else if (waiting.length < MAX_WAITING) {
      waiting.push({ req, res, handle });
    } else if (!socket.destroyed) {
      this.#onTooMany();
      socket.destroy();
    }
  }

  #start({ req, res, handle }: Waiting): void {
    res.once('close', () => this.#next(req.socket));
    handle(req, res);
  }

  #next(socket: Socket): void {
    const next = socket.writable ? this.#waiting.get(socket)?.shift() : undefined;
    if (next) this.#start(next);
    else this.#waiting.delete(socket);
  }
}
