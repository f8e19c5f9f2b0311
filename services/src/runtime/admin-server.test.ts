import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AdminServer, type AdminServerOptions } from './admin-server.ts';
import { RecordingLogger } from './testing/recording-logger.ts';

const servers: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function setup(options: Partial<AdminServerOptions> = {}) {
  const logger = new RecordingLogger();
  const server = new AdminServer({ host: '127.0.0.1', port: 0, ready: {}, logger, ...options });
  servers.push(server);
  const { port } = await server.start();
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      ...init,
      headers: { connection: 'close' },
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { server, port, get, logger };
}

describe('probes', () => {
  test('say 200 when all is well', async () => {
    const { get } = await setup({ live: { engine: () => null }, ready: { store: () => null } });
    const live = await get('/livez');
    expect(live.status).toBe(200);
    expect(JSON.parse(live.body)).toEqual({ status: 'ok', checks: { engine: 'ok' } });
    expect(live.headers.get('content-type')).toBe('application/json');
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/healthz?verbose')).status).toBe(200);
  });

  test('tell being alive from being ready', async () => {
    const { get } = await setup({ live: { engine: () => null }, ready: { store: () => 'the disk is full' } });
    expect((await get('/livez')).status).toBe(200);
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.body)).toEqual({ status: 'trouble', checks: { store: 'the disk is full' } });
    expect((await get('/healthz')).status).toBe(503);
  });

  test('show every check and the facts in /healthz', async () => {
    const { get } = await setup({
      live: { engine: () => null },
      ready: { store: () => null },
      health: { bus: () => 'no broker answers' },
      info: () => ({ backend: 'avx512' }),
    });
    expect(JSON.parse((await get('/healthz')).body)).toEqual({
      status: 'trouble',
      checks: { engine: 'ok', store: 'ok', bus: 'no broker answers' },
      info: { backend: 'avx512' },
    });
    expect((await get('/readyz')).status).toBe(200);
  });

  test('count a check that throws as wrong', async () => {
    const broken = (): never => {
      throw new Error('cannot tell');
    };
    const { get } = await setup({ ready: { store: broken } });
    const { status, body } = await get('/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ checks: { store: 'Error: cannot tell' } });
  });

  test('follow what changes', async () => {
    let wrong: string | null = null;
    const { get } = await setup({ ready: { draining: () => wrong } });
    expect((await get('/readyz')).status).toBe(200);
    wrong = 'draining';
    expect((await get('/readyz')).status).toBe(503);
  });
});

describe('other requests', () => {
  test('reach /metrics where there are any', async () => {
    const { get } = await setup({ metrics: (_request, response) => void response.end('up 1\n') });
    expect(await get('/metrics')).toMatchObject({ status: 200, body: 'up 1\n' });
    expect((await (await setup()).get('/metrics')).status).toBe(404);
  });

  test('get 404, 405 or 500, and a failure is logged', async () => {
    const failing = () => Promise.reject(new Error('no reader'));
    const { get, logger } = await setup({ metrics: failing });
    expect((await get('/nothing')).status).toBe(404);
    const post = await get('/livez', { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await get('/metrics')).status).toBe(500);
    expect(logger.lines).toEqual(['error An admin request failed']);
    expect((await get('/livez', { method: 'HEAD' })).body).toBe('');
  });
});

describe('clients that mean harm', () => {
  /** A connection that sends something, and is asked nothing more. */
  function connected(
    port: number,
    text = '',
  ): { readonly socket: Socket; readonly closed: Promise<unknown> } {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    // An answer that nobody reads, such as 408, would keep the connection open.
    socket.resume();
    const closed = once(socket, 'close');
    if (text !== '') socket.write(text);
    return { socket, closed };
  }

  test('and hold all connections do not keep probes out', async () => {
    const { port, get } = await setup({ ready: { store: () => null } });
    const idle = Array.from({ length: 64 }, () => connected(port));
    await Promise.all(idle.map(({ socket }) => once(socket, 'connect')));
    for (let i = 0; i < 3; i++) expect((await get('/readyz')).status).toBe(200);
    await Promise.any(idle.map(({ closed }) => closed));
    for (const { socket } of idle) socket.destroy();
  });

  test('and say nothing, or do not end what they say, are cut off when their time is up', async () => {
    const { port } = await setup({ timeoutMs: 200 });
    const clients = [connected(port), connected(port, 'GET /livez HTTP/1.1\r\nX: ')];
    await Promise.all(clients.map(({ closed }) => closed));
  });

  test('and pipeline very many requests get some answers', async () => {
    const { port } = await setup({
      metrics: (_request, response) => void response.end('up 1\n'),
      timeoutMs: 500,
    });
    const { socket, closed } = connected(
      port,
      'GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(1_000),
    );
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await closed;
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(100);
  });
});

describe('starting and stopping', () => {
  test('may be repeated, in any order', async () => {
    const { server, port } = await setup();
    await expect(server.start()).resolves.toMatchObject({ port });
    await Promise.all([server.stop(), server.stop()]);
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
    const again = await server.start();
    expect((await fetch(`http://127.0.0.1:${again.port}/livez`)).status).toBe(200);
  });

  test('an address in use is an error that names it', async () => {
    const { port } = await setup();
    await expect(setup({ port })).rejects.toThrow(`The admin port 127.0.0.1:${port} cannot be had`);
  });

  test('stopping while it starts leaves nothing behind', async () => {
    const server = new AdminServer({ host: '127.0.0.1', port: 0, ready: {}, logger: new RecordingLogger() });
    const starting = server.start();
    await server.stop();
    const { port } = await starting;
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
  });

  test.each([
    ['localhost', 200],
    ['127.0.0.1:9090', 200],
    ['evil.example', 421],
  ])('on loopback, a request for %s is answered with %d', async (host, status) => {
    const { port } = await setup({});
    const socket = connect(port, '127.0.0.1');
    socket.end(`GET /livez HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('stopping closes connections on which a request hangs', async () => {
    const { server, port } = await setup({ metrics: () => undefined });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await server.stop();
    await closed;
  });
});
