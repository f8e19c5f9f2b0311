import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { ownHosts } from '../runtime/host-names.ts';
import { HalfClosed } from './half-closed.ts';
import { sendProblem } from './http/answer.ts';
import { lingeringClose } from './http/lingering-close.ts';
import { Pipelines } from './http/pipelines.ts';
import { protocolTrouble } from './http/protocol.ts';
import { PROBLEM_MEDIA_TYPE, problem, problemJson, statusOf, type Problem } from './problems.ts';
import type { EndpointSettings } from './settings.ts';
import type { ShedLog } from './shed-log.ts';
import { SlowBodies } from './slow-bodies.ts';
import { SlowReaders } from './slow-readers.ts';

export interface HttpServerOptions {
  readonly handle: RequestListener;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly shed: ShedLog;
  readonly settings: EndpointSettings;
}

/** How often the server looks for connections whose headers are late: at least this often, in milliseconds. */
const LOOK_MS = 1_000;
/** While it closes, it looks this often for connections that have become idle. */
const IDLE_LOOK_MS = 50;
const MAX_HEADER_BYTES = 16 * 1024;

/** What a request that node cannot make sense of is answered with. */
export function problemOfClientError(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem('too-slow', 'The headers did not come in time.');
  if (code === 'HPE_HEADER_OVERFLOW')
    return problem('headers-too-large', `The headers may have at most ${MAX_HEADER_BYTES} bytes.`);
  return problem('malformed-request', 'What came is not a valid HTTP/1.1 request.');
}

function rawAnswer(what: Problem): string {
  const body = problemJson(what);
  const lines = [
    `HTTP/1.1 ${statusOf(what)} ${what.slug}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A server that slow, broken and too many clients cannot hurt. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #slow: SlowBodies;
  readonly #slowReaders: SlowReaders;
  readonly #pipelines: Pipelines;
  readonly #halfClosed = new HalfClosed();

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { settings, clock } = options;
    this.#slow = new SlowBodies({
      clock,
      minBytesPerSecond: settings.minBodyBytesPerSecond,
      windowMs: settings.bodyRateWindowMs,
      onSlow: (req, res) => this.#shedSlow(req, res),
    });
    this.#slowReaders = new SlowReaders({
      clock,
      minBytesPerSecond: settings.minAnswerBytesPerSecond,
      windowMs: settings.answerRateWindowMs,
      onSlow: (socket) => {
        options.shed.note('slow-reader');
        socket.destroy();
      },
    });
    this.#pipelines = new Pipelines(() => options.shed.note('pipelined'));
    this.#server = createServer({
      headersTimeout: settings.headersTimeoutMs,
      // How long a whole request may take depends on its size: the rate of the body is watched instead.
      requestTimeout: 0,
      requireHostHeader: false,
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(LOOK_MS, settings.headersTimeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    });
    this.#halfClosed.watch(this.#server);
    this.#server.maxConnections = settings.maxConnections;
    this.#server.timeout = settings.idleTimeoutMs;
    this.#listenTo(this.#server);
  }

  /** Open connections. */
  get connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_error, count) => resolve(count)));
  }

  /** Where it listens; null while it does not. */
  address(): { readonly host: string; readonly port: number } | null {
    const address = this.#server.address();
    return address && typeof address === 'object' ? { host: address.address, port: address.port } : null;
  }

  /** Rejects when the address cannot be had. */
  async listen(): Promise<void> {
    const { host, port } = this.#options.settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#slow.start();
    this.#slowReaders.start();
  }

  /**
   * Takes no more connections, and resolves when all are closed: those without a request now, the others after their
   * answer, and whatever is left after so many milliseconds. True when nothing had to be cut off. Idempotent.
   */
  async close(withinMs: number): Promise<boolean> {
    if (!this.#server.listening) return true;
    let cut = false;
    const timer = setTimeout(() => {
      cut = true;
      this.#server.closeAllConnections();
    }, withinMs);
    // A connection on which an answer has just been finished counts as idle only now.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), IDLE_LOOK_MS);
    await new Promise((resolve) => this.#server.close(resolve));
    clearInterval(sweep);
    clearTimeout(timer);
    this.#slow.stop();
    this.#slowReaders.stop();
    return !cut;
  }

  #listenTo(server: Server): void {
    const { handle, settings } = this.#options;
    const isOwnHost = ownHosts(settings.host, settings.allowedHosts);
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
      this.#slow.watch(req, res);
      this.#halfClosed.answering(req, res);
      // Node would check some of it as well, but would not say what is wrong.
      const trouble = protocolTrouble(req, isOwnHost);
      if (trouble) sendProblem(req, res, trouble);
      else handle(req, res);
    };
    const onExpectation = (req: IncomingMessage, res: ServerResponse): void => {
      this.#slow.watch(req, res);
      sendProblem(req, res, problem('expectation-failed', 'Only 100-continue can be expected.'));
    };
    server.on('connection', (socket: Socket) => this.#slowReaders.watch(socket));
    server.on('request', (req, res) => this.#pipelines.handle(req, res, onRequest));
    // The body readers say when the body may come, so that one which is refused is never sent.
    server.on('checkContinue', (req, res) => this.#pipelines.handle(req, res, onRequest));
    server.on('checkExpectation', (req, res) => this.#pipelines.handle(req, res, onExpectation));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#clientError(error, socket as Socket),
    );
    server.on('drop', () => this.#options.shed.note('connections'));
    server.on('error', (error) => this.#options.logger.error('The server has a fault', { error }));
  }

  #clientError(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    // Everything that comes after the first fault is one more; it is read over.
    if (!socket.writable) return;
    const what = problemOfClientError(error.code);
    if (what.slug === 'too-slow') this.#options.shed.note('slow-headers');
    socket.write(rawAnswer(what));
    lingeringClose(socket);
  }

  #shedSlow(req: IncomingMessage, res: ServerResponse): void {
    this.#options.shed.note('slow-body');
    const { minBodyBytesPerSecond, bodyRateWindowMs } = this.#options.settings;
    const detail = `The body must bring at least ${minBodyBytesPerSecond} bytes per second, averaged over ${bodyRateWindowMs / 1000} s.`;
    sendProblem(req, res, problem('too-slow', detail, { headers: { Connection: 'close' } }));
    // Where the answer was given before, the rest of the body is not waited for.
    lingeringClose(req.socket);
  }
}
