import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeObject } from '../../plan/kube.ts';
import { collectionPath, type Kind } from '../resources.ts';
import { answerOne, type Answer, type ParsedRequest } from './fake-objects.ts';
import { type Change, keyOf, ObjectStore } from './object-store.ts';

/** What goes wrong with a request instead of its answer. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** The connection is cut before an answer. */
  | { readonly kind: 'reset' }
  /** Done, but the connection is cut before the answer. */
  | { readonly kind: 'lost' }
  /** Never an answer. */
  | { readonly kind: 'silence' }
  /** An answer without anything in it. */
  | { readonly kind: 'empty' }
  /** An answer that is no JSON. */
  | { readonly kind: 'garbage' };

export interface SeenRequest extends ParsedRequest {
  readonly at: number;
  readonly contentType: string;
  readonly authorization: string;
}

interface Watch {
  readonly request: ParsedRequest;
  readonly response: ServerResponse;
  readonly end: () => void;
  muted: boolean;
}

/** Just enough of an API server: list, watch, get, create, update, patch, delete; and as many faults as a test wants. */
export class FakeApiServer {
  readonly store = new ObjectStore();
  readonly requests: SeenRequest[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #watches = new Set<Watch>();
  readonly #sockets = new Set<Socket>();
  readonly #faults: { readonly matches: (request: ParsedRequest) => boolean; fault: Fault; left: number }[] =
    [];
  /** Connections ever made. */
  connections = 0;
  /** While true, changes are not told to watches that are open: a connection that is half open. */
  muted = false;

  static async start(): Promise<FakeApiServer> {
    const fake = new FakeApiServer();
    fake.#server.on('connection', (socket) => {
      fake.connections++;
      fake.#sockets.add(socket);
      socket.on('close', () => fake.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  get watches(): number {
    return this.#watches.size;
  }

  config(token = 'a-token'): KubeConfig {
    const config = new KubeConfig();
    const cluster = { name: 'fake', server: this.url, skipTLSVerify: true };
    config.loadFromClusterAndUser(cluster, { name: 'tester', token });
    return config;
  }

  put(object: KubeObject): KubeObject {
    return this.store.put(collectionPath(object), object);
  }

  remove(object: KubeObject): void {
    this.store.remove(collectionPath(object), keyOf(object));
  }

  all(kind: Kind): KubeObject[] {
    return this.store.list(collectionPath(kind));
  }

  /** The next `times` requests that match go wrong. */
  fail(fault: Fault, times: number, matches: (request: ParsedRequest) => boolean = () => true): void {
    this.#faults.push({ fault, left: times, matches });
  }

  healed(): void {
    this.#faults.length = 0;
  }

  /** Cuts every open watch, in the middle of a line when `text` is half of one. */
  cutWatches(text?: string): void {
    for (const watch of [...this.#watches]) {
      if (text !== undefined) watch.response.write(text);
      const { socket } = watch.response;
      // What was written must arrive before the cut does.
      setImmediate(() => socket?.destroy());
      watch.end();
    }
  }

  /** Sends raw text to every open watch. */
  sendToWatches(text: string): void {
    for (const { response } of this.#watches) response.write(text);
  }

  muteWatches(): void {
    for (const watch of this.#watches) watch.muted = true;
  }

  bookmark(): void {
    const object = {
      kind: 'Bookmark',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(this.store.rv) },
    };
    this.sendToWatches(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await parse(raw);
    const { 'content-type': contentType = '', authorization = '' } = raw.headers;
    this.requests.push({ ...request, at: performance.now(), contentType, authorization });
    const fault = this.#faults.find(({ left, matches }) => left > 0 && matches(request));
    if (fault) {
      fault.left--;
      this.#misbehave(fault.fault, request, response);
    } else if (request.query.get('watch') === 'true') this.#watch(request, response);
    else send(response, answerOne(this.store, request));
  }

  #misbehave(fault: Fault, request: ParsedRequest, response: ServerResponse): void {
    if (fault.kind === 'status') {
      const body = { kind: 'Status', reason: 'Made', message: 'a fault of the test', code: fault.status };
      send(response, { status: fault.status, body }, fault.headers);
    } else if (fault.kind === 'garbage') response.end('{"kind": "List", "items": [');
    else if (fault.kind === 'empty') response.end();
    else if (fault.kind !== 'silence') {
      if (fault.kind === 'lost') answerOne(this.store, request);
      response.socket?.destroy();
    }
  }

  #watch(request: ParsedRequest, response: ServerResponse): void {
    const { collection, namespace, query } = request;
    const missed = this.store.since(Number(query.get('resourceVersion')), collection);
    response.writeHead(200, { 'content-type': 'application/json' });
    if (missed === null) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    response.flushHeaders();
    const tell = (change: Change): void => {
      if (watch.muted || this.muted || change.collection !== collection) return;
      if (namespace !== undefined && change.object.metadata.namespace !== namespace) return;
      response.write(`${JSON.stringify({ type: change.type, object: change.object })}\n`);
    };
    const unlisten = this.store.listen(tell);
    const end = (): void => {
      unlisten();
      this.#watches.delete(watch);
    };
    const watch: Watch = { request, response, end, muted: false };
    this.#watches.add(watch);
    response.on('close', end);
    missed.forEach(tell);
  }
}

async function parse(raw: IncomingMessage): Promise<ParsedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of raw) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(raw.url ?? '', 'http://fake');
  const parts =
    /^(\/api\/[^/]+|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;
  const [, root = '', namespace, plural = '', name, subresource] = parts.exec(url.pathname) ?? [];
  return {
    ...{
      method: raw.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      namespace,
      name,
      subresource,
    },
    collection: `${root}/${plural}`,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

function send(
  response: ServerResponse,
  { status, body }: Answer,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
