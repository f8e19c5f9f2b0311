import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chainOf } from '../../jobs/digest.ts';
import { jobId } from '../../jobs/id.ts';
import type { JobBody } from '../api.ts';

/** A request as it arrived, with its whole body. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Answers request number `index` (from 0). */
export type Answerer = (seen: Seen, response: ServerResponse, index: number) => void;

export interface FakeService {
  readonly url: string;
  readonly seen: readonly Seen[];
  stop(): Promise<void>;
}

/** A real HTTP server on loopback that answers as the test says. */
export async function startFakeService(answer: Answerer, port = 0): Promise<FakeService> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks) });
      answer(seen.at(-1)!, response, seen.length - 1);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A port on loopback where nothing listens. */
export async function closedPort(): Promise<number> {
  const service = await startFakeService(() => undefined);
  await service.stop();
  return Number(new URL(service.url).port);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export interface ProblemParts {
  readonly status: number;
  readonly slug: string;
  readonly title: string;
  readonly detail?: string;
  readonly errors?: readonly object[];
  readonly headers?: Readonly<Record<string, string>>;
}

export function sendProblem(response: ServerResponse, { slug, headers, ...rest }: ProblemParts): void {
  const type = `https://hashcluster.io/problems/${slug}`;
  response.writeHead(rest.status, { 'content-type': 'application/problem+json', ...headers });
  response.end(JSON.stringify({ type, ...rest }));
}

/** The events as a stream, in one piece. Ends the stream unless told not to. */
export function sendEvents(response: ServerResponse, jobs: readonly JobBody[], end = true): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const job of jobs) {
    const type = job.finishedAt ? 'end' : job.state === 'queued' ? 'state' : 'progress';
    const id = job.finishedAt ? 'end' : String(job.position);
    response.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(job)}\n\n`);
  }
  if (end) response.end();
}

const DATA = 'hello';
const CREATED = '2026-11-23T03:27:11.000Z';

/** A queued job of `hello` with 3 iterations, or what is said instead. */
export function jobBody(change: Partial<JobBody> = {}): JobBody {
  const chain = chainOf(DATA);
  const iterations = change.iterations ?? 3;
  const position = change.position ?? 1;
  return {
    id: jobId('default', chain, iterations),
    state: 'queued',
    iterations,
    position,
    progress: position / iterations,
    chain,
    digest: null,
    createdAt: CREATED,
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    computed: null,
    reason: null,
    worker: null,
    rate: null,
    etaSeconds: null,
    ...change,
  };
}

/** `data` hashed `iterations` times, the slow and certain way. */
export function digestOf(data: string, iterations: number): string {
  let digest = chainOf(data);
  for (let i = 1; i < iterations; i++) digest = chainOf(Buffer.from(digest, 'hex'));
  return digest;
}

/** The same job, done. */
export function doneJob(change: Partial<JobBody> = {}): JobBody {
  const iterations = change.iterations ?? 3;
  return jobBody({
    state: 'done',
    position: iterations,
    digest: change.digest ?? digestOf(DATA, iterations),
    startedAt: CREATED,
    finishedAt: '2026-11-23T03:27:12.000Z',
    expiresAt: '2026-12-23T03:27:12.000Z',
    computed: iterations - 1,
    worker: 'w1',
    ...change,
  });
}
