import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { openUpload } from './upload.ts';
import {
  closedPort,
  doneJob,
  jobBody,
  sendJson,
  sendProblem,
  startFakeService,
  type Answerer,
  type FakeService,
} from './testing/fake-service.ts';

let services: FakeService[] = [];
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  services = [];
});

async function serve(answer: Answerer, port = 0): Promise<FakeService> {
  const service = await startFakeService(answer, port);
  services.push(service);
  return service;
}

function clientOf(url: string, budgetMs = 10_000, signal = new AbortController().signal) {
  const notices: string[] = [];
  const notice = (text: string): unknown => notices.push(text);
  return {
    client: new Client({ server: new URL(url), budgetMs, userAgent: 'test/1', signal, notice }),
    notices,
  };
}

const { id } = jobBody();
const overloaded = { status: 503, slug: 'overloaded', title: 'Overloaded', headers: { 'retry-after': '0' } };

describe('requests', () => {
  test('a job is asked for by name, below whatever path the server has', async () => {
    const service = await serve((_seen, response) => sendJson(response, 200, jobBody()));
    const { client } = clientOf(`${service.url}/behind/`);
    expect(await client.job(id)).toEqual(jobBody());
    expect(service.seen[0]).toMatchObject({ method: 'GET', url: `/behind/v1/jobs/${id}` });
    expect(service.seen[0]!.headers['user-agent']).toBe('test/1');
    expect(client.server).toBe(`${service.url}/behind`);
  });

  test('a list carries its filters, and only those that are set', async () => {
    const service = await serve((_seen, response) =>
      sendJson(response, 200, { items: [jobBody()], next: 'c 2' }),
    );
    const { client } = clientOf(service.url);
    expect((await client.jobs({ state: 'queued', limit: 7 })).next).toBe('c 2');
    await client.jobs({ cursor: 'c 2' });
    expect(service.seen.map(({ url }) => url)).toEqual([
      '/v1/jobs?state=queued&limit=7',
      '/v1/jobs?cursor=c+2',
    ]);
  });

  test.each([
    ['a job without an id', { ...jobBody(), id: 'x' }],
    ['a done job without a digest', { ...doneJob(), digest: null }],
    ['a list', [jobBody()]],
    ['text', 'hello'],
  ])('%s is not an answer of ours', async (_name, body) => {
    const service = await serve((_seen, response) => sendJson(response, 200, body));
    await expect(clientOf(service.url).client.job(id)).rejects.toMatchObject({ exitCode: EXIT.unavailable });
  });
});

describe('submitting', () => {
  test.each([
    [202, false],
    [200, true],
  ])('answered with %d, known: %p', async (status, known) => {
    const service = await serve((_seen, response) => sendJson(response, status, doneJob()));
    const upload = await openUpload('-', Readable.from([Buffer.from('hel'), Buffer.from('lo')]));
    expect(await clientOf(service.url).client.submit(upload, 3)).toEqual({ job: doneJob(), known });
    expect(service.seen[0]).toMatchObject({ method: 'PUT', url: '/enqueue?iterations=3' });
    expect(service.seen[0]!.body.toString()).toBe('hello');
    expect(service.seen[0]!.headers['transfer-encoding']).toBe('chunked');
  });

  test.each([0, 5, 3_000_000])('%d bytes of known size are announced and sent whole', async (size) => {
    const service = await serve((_seen, response) => sendJson(response, 202, jobBody()));
    const data = Buffer.alloc(size, 'xyz');
    const upload = { size, canOpen: () => true, open: () => Readable.from(size > 0 ? [data] : []) };
    await clientOf(service.url).client.submit(upload, 3);
    expect(service.seen[0]!.headers['content-length']).toBe(String(size));
    expect(service.seen[0]!.body.equals(data)).toBe(true);
  });

  test('a short input survives a refused connection and a busy service', async () => {
    const port = await closedPort();
    const { client, notices } = clientOf(`http://127.0.0.1:${port}`);
    const submitting = client.submit(await openUpload('-', Readable.from([Buffer.from('hello')])), 3);
    const answer: Answerer = (_seen, response, index) =>
      index < 2 ? sendProblem(response, overloaded) : sendJson(response, 202, jobBody());
    const service = await serve(answer, port);
    expect((await submitting).job).toEqual(jobBody());
    expect(service.seen.map(({ body }) => body.toString())).toEqual(['hello', 'hello', 'hello']);
    expect(notices.length).toBeLessThanOrEqual(1);
  });

  test('a long input cannot be sent again, and the error says so', async () => {
    const service = await serve((_seen, response) => sendProblem(response, overloaded));
    const upload = await openUpload('-', Readable.from([1, 2, 3].map(() => Buffer.alloc(1_000_000))));
    await expect(clientOf(service.url).client.submit(upload, 3)).rejects.toMatchObject({
      exitCode: EXIT.unavailable,
      details: [expect.stringContaining('cannot be read again')],
    });
    expect(service.seen).toHaveLength(1);
  });

  test('what goes wrong in the source is told, not that the request failed', async () => {
    const service = await serve((_seen, response) => sendJson(response, 202, jobBody()));
    const source = new PassThrough();
    source.write('a');
    const submitting = clientOf(service.url).client.submit(await openUpload('-', source), 3);
    source.destroy(new Error('the cable is loose'));
    await expect(submitting).rejects.toThrow('Cannot read standard input: the cable is loose.');
  });
});

describe('a large body', () => {
  const MIB = 1_048_576;

  test('is not held in memory while it is sent', async () => {
    const server = createHttpServer((request, response) => {
      request.resume().on('end', () => sendJson(response, 202, jobBody()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const size = 400 * MIB;
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    async function* open(): AsyncGenerator<Uint8Array> {
      const chunk = Buffer.alloc(MIB);
      for (let sent = 0; sent < size; sent += MIB) {
        // What nobody holds any more is not counted, however lazily it is collected.
        if (sent % (100 * MIB) === 0) {
          collect();
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        }
        yield await Promise.resolve(chunk);
      }
    }
    const { port } = server.address() as AddressInfo;
    await clientOf(`http://127.0.0.1:${port}`).client.submit({ size, canOpen: () => true, open }, 3);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(most).toBeLessThan(size / 2);
  });
});

describe('a service that is away or busy', () => {
  test('is asked again until it answers, and the user is told once', async () => {
    const service = await serve((_seen, response, index) =>
      index < 3 ? sendProblem(response, overloaded) : sendJson(response, 200, jobBody()),
    );
    const { client, notices } = clientOf(service.url);
    expect(await client.job(id)).toEqual(jobBody());
    expect(service.seen).toHaveLength(4);
    expect(notices).toEqual([expect.stringContaining('Overloaded. Trying again for')]);
  });

  test('is asked once when there is no budget', async () => {
    const service = await serve((_seen, response) => sendProblem(response, overloaded));
    await expect(clientOf(service.url, 0).client.job(id)).rejects.toMatchObject({
      exitCode: EXIT.unavailable,
    });
    expect(service.seen).toHaveLength(1);
  });

  test('is not waited for when it asks for more time than there is', async () => {
    const limited = {
      status: 429,
      slug: 'rate-limited',
      title: 'Too many',
      headers: { 'retry-after': '3600' },
    };
    const service = await serve((_seen, response) => sendProblem(response, limited));
    await expect(clientOf(service.url).client.job(id)).rejects.toMatchObject({ exitCode: EXIT.refused });
    expect(service.seen).toHaveLength(1);
  });

  test('is given up when the budget is over', async () => {
    const { client } = clientOf(`http://127.0.0.1:${await closedPort()}`, 300);
    await expect(client.job(id)).rejects.toMatchObject({
      exitCode: EXIT.unavailable,
      message: expect.stringContaining('nothing listens there'),
    });
  });

  test('that cuts an answer in the middle is asked again', async () => {
    const service = await serve((_seen, response, index) => {
      if (index > 0) return sendJson(response, 200, jobBody());
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"id"', () => response.destroy());
    });
    expect(await clientOf(service.url).client.job(id)).toEqual(jobBody());
  });

  test('is left alone at once when the user interrupts', async () => {
    const controller = new AbortController();
    const { client } = clientOf(`http://127.0.0.1:${await closedPort()}`, 600_000, controller.signal);
    const asking = client.job(id);
    controller.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
    await expect(asking).rejects.toMatchObject({ exitCode: EXIT.interrupted });
  });
});

describe('a body that is too large', () => {
  test('is refused in the middle, and the reason arrives', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      const body = JSON.stringify({ title: 'Too large', detail: 'At most 1 MB.' });
      const head = `HTTP/1.1 413 Too large\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}`;
      socket.once('data', () => socket.write(`${head}\r\nconnection: close\r\n\r\n${body}`));
      socket.resume();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const endless = Readable.from(Array.from({ length: 400 }, () => Buffer.alloc(262_144)));
    const upload = await openUpload('-', endless);
    const submitting = clientOf(`http://127.0.0.1:${port}`).client.submit(upload, 3);
    await expect(submitting).rejects.toMatchObject({
      exitCode: EXIT.refused,
      message: 'Too large: At most 1 MB.',
    });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('cancelling', () => {
  const ended = { status: 409, slug: 'already-ended', title: 'Already ended' };

  test('a job that is cancelled already is a success: the first answer may have got lost', async () => {
    const cancelled = jobBody({ state: 'cancelled' });
    const service = await serve(({ method }, response) =>
      method === 'DELETE' ? sendProblem(response, ended) : sendJson(response, 200, cancelled),
    );
    expect(await clientOf(service.url).client.cancel(id)).toEqual(cancelled);
  });

  test('a job that is done already is refused', async () => {
    const service = await serve(({ method }, response) =>
      method === 'DELETE' ? sendProblem(response, ended) : sendJson(response, 200, doneJob()),
    );
    await expect(clientOf(service.url).client.cancel(id)).rejects.toMatchObject({ exitCode: EXIT.refused });
  });
});
