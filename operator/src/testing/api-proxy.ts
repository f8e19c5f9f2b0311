import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request as sendHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { KubeConfig } from '@kubernetes/client-node';
import type { KubeObject } from '../plan/kube.ts';
import { configOf, type ApiServer } from './api-server.ts';

/** A request that changes something, and what became of it. */
export interface Write {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
  readonly status: number;
  /** The resource version that it has made; empty when the answer has none. */
  readonly revision: string;
}

/** One event of a watch. */
export interface WatchedEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/** What goes wrong between the operator and the API server. Everything is let through without it. */
export interface Faults {
  /** Asked after the server has carried a write out; false: the operator never hears of it, nor of anything else. */
  readonly survivesWrite?: (write: Write) => boolean;
  /** False: the event is lost. */
  readonly keepsEvent?: (event: WatchedEvent) => boolean;
  /** Lists are of this resource version, as from a server that lags behind. */
  readonly listsAsOf?: string;
  /** No event is handed on before. */
  readonly eventsAfter?: Promise<unknown>;
}

/** Stands between one operator and the API server, sees everything, and can harm it. */
export class ApiProxy {
  /** What the operator connects with. */
  readonly config: KubeConfig;
  /** Writes that the server has answered, in order; Events and Leases are no part of it. */
  readonly writes: Write[] = [];
  faults: Faults = {};
  readonly #target: ApiServer;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: ApiServer, server: Server) {
    this.#target = target;
    this.#server = server;
    this.#agent = new Agent({ keepAlive: true, ca: target.ca });
    const { port } = server.address() as AddressInfo;
    this.config = configOf(`http://127.0.0.1:${port}`, null, target.token);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.#isCut) socket.destroy();
    });
    server.on(
      'request',
      (request, response) => void this.#serve(request, response).catch(() => response.destroy()),
    );
  }

  static async start(target: ApiServer, faults: Faults = {}): Promise<ApiProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new ApiProxy(target, server);
    proxy.faults = faults;
    return proxy;
  }

  /** Whether the operator has been cut off, as `kill -9` would: nothing that it sends arrives any more. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Cuts the operator off for good. Idempotent. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends all watches, as a server that is restarted does; what comes next is served. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#agent.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const answer = await this.#forward(request, response, body);
    const path = request.url ?? '/';
    if (path.includes('watch=true')) return this.#relay(answer, response);
    const text = await textOf(answer);
    const status = answer.statusCode ?? 0;
    const method = request.method ?? '';
    if (isWrite(method, path) && status < 300)
      this.#note({ method, path, body, status, revision: revisionIn(text) });
    // A write that nobody hears of was carried out all the same.
    if (this.isCut) return void response.destroy();
    response.writeHead(status, headersOf(answer)).end(text);
  }

  #note(write: Write): void {
    this.writes.push(write);
    if (this.faults.survivesWrite?.(write) === false) this.cut();
  }

  #forward(request: IncomingMessage, response: ServerResponse, body: string): Promise<IncomingMessage> {
    const { 'accept-encoding': _zipped, host: _host, connection: _connection, ...headers } = request.headers;
    return new Promise((resolve, reject) => {
      if (this.isCut) return void reject(new Error('cut off'));
      const options = { method: request.method, headers, agent: this.#agent };
      const sent = sendHttps(this.#targetOf(request), options, resolve);
      sent.once('error', reject);
      response.once('close', () => {
        if (!response.writableFinished) sent.destroy();
      });
      sent.end(body);
    });
  }

  /** Only collections are listed with labels or by pages. */
  #targetOf({ url = '/', method }: IncomingMessage): URL {
    const target = new URL(url, this.#target.url);
    const { searchParams } = target;
    const { listsAsOf } = this.faults;
    const isFirstPage = method === 'GET' && searchParams.has('limit') && !searchParams.has('continue');
    if (listsAsOf !== undefined && isFirstPage) {
      searchParams.set('resourceVersion', listsAsOf);
      searchParams.set('resourceVersionMatch', 'Exact');
    }
    return target;
  }

  async #relay(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    response.writeHead(answer.statusCode ?? 0, headersOf(answer));
    response.flushHeaders();
    for await (const line of createInterface({ input: answer, crlfDelay: Infinity })) {
      await this.faults.eventsAfter;
      if (response.destroyed) break;
      if (this.#keeps(line)) response.write(`${line}\n`);
    }
    response.end();
  }

  #keeps(line: string): boolean {
    const { keepsEvent } = this.faults;
    if (!keepsEvent || line === '') return true;
    const event = JSON.parse(line) as WatchedEvent;
    return event.type === 'BOOKMARK' || event.type === 'ERROR' || keepsEvent(event);
  }
}

function isWrite(method: string, path: string): boolean {
  return method !== 'GET' && !/\/(events|leases)(\/|\?|$)/.test(path);
}

function revisionIn(text: string): string {
  return /"resourceVersion":"(\d+)"/.exec(text)?.[1] ?? '';
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const kept = ['content-type', 'retry-after', 'warning'];
  return Object.fromEntries(kept.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])));
}

async function textOf(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
