import { afterEach, describe, expect, test } from '@jest/globals';
import { Agent, createServer, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import { ConnectTimeoutError, exchange, readText } from './http-client.ts';

const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function listen(server: TcpServer | Server): Promise<URL> {
  stops.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function agentOf(options = {}): Agent {
  const agent = new Agent({ keepAlive: true, ...options });
  stops.push(() => agent.destroy());
  return agent;
}

async function setup(answer: RequestListener) {
  const url = await listen(createServer(answer));
  const controller = new AbortController();
  const send = (options = {}) =>
    exchange({ url, agent: agentOf(), connectMs: 5_000, signal: controller.signal, ...options });
  return { url, controller, send };
}

describe('an exchange', () => {
  test('sends method, headers and body, and reads the answer', async () => {
    const { send, controller } = await setup((request, response) => {
      void readText(request, new AbortController().signal).then((body) => {
        response.writeHead(201).end(`${request.method} ${String(request.headers['x-a'])} ${body} ✓`);
      });
    });
    const answer = await send({ method: 'POST', headers: { 'x-a': 'b' }, body: 'ä' });
    expect([answer.statusCode, await readText(answer, controller.signal)]).toEqual([201, 'POST b ä ✓']);
  });

  test.each(['DELETE', 'GET', 'PATCH'])('says how long its body is, also when it is a %s', async (method) => {
    const { send, controller } = await setup((request, response) => {
      void readText(request, new AbortController().signal).then((body) =>
        response.end(`${request.method} ${body}`),
      );
    });
    const agent = agentOf({ maxSockets: 1 });
    const answers: string[] = [];
    for (const body of ['ä'.repeat(10), undefined]) {
      const options = { agent, method, ...(body !== undefined && { body }) };
      answers.push(await readText(await send(options), controller.signal));
    }
    expect(answers).toEqual([`${method} ${'ä'.repeat(10)}`, `${method} `]);
  });

  test('fails with the reason of its signal: before it is sent, before the answer, and within its body', async () => {
    const { send, controller } = await setup((_request, response) => void response.write('half'));
    const answer = await send();
    const read = expect(readText(answer, controller.signal)).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await read;
    await expect(send()).rejects.toThrow('enough');
    const silent = await setup(() => undefined);
    const asked = expect(silent.send()).rejects.toThrow('too long');
    silent.controller.abort(new Error('too long'));
    await asked;
  });

  test('fails when the answer ends too early, or is larger than it may be', async () => {
    const cut = await setup((_request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy());
    });
    await expect(readText(await cut.send(), cut.controller.signal)).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    const large = await setup((_request, response) => void response.end('x'.repeat(1_000)));
    const read = readText(await large.send(), large.controller.signal, 999);
    await expect(read).rejects.toThrow('an answer of more than 999 bytes');
  });

  test('fails with the code of the system when nobody listens', async () => {
    const server = createTcpServer();
    const url = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const { send } = await setup(() => undefined);
    await expect(send({ url })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('fails when there is no TLS in time, and not when a silent server has been reached', async () => {
    const url = await listen(createTcpServer((socket) => stops.push(() => socket.destroy())));
    const { send } = await setup((_request, response) => void setTimeout(() => response.end(), 1_200));
    const { Agent: HttpsAgent } = await import('node:https');
    const tls = { url: new URL(`https://${url.host}`), agent: new HttpsAgent(), connectMs: 50 };
    await expect(send(tls)).rejects.toThrow(ConnectTimeoutError);
    await expect(send({ connectMs: 1_000 })).resolves.toMatchObject({ statusCode: 200 });
  });

  test('goes through a proxy when its agent says so', async () => {
    const { url, controller, send } = await setup((_request, response) => void response.end('hello'));
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const target = new URL(request.url!);
      const upstream = connect(Number(target.port), target.hostname, () => {
        upstream.end('GET / HTTP/1.0\r\n\r\n');
      });
      upstream.pipe(response.socket!);
    });
    const agent = agentOf({ proxyEnv: { HTTP_PROXY: (await listen(proxy)).href } });
    expect(await readText(await send({ agent }), controller.signal)).toBe('hello');
    expect(asked).toEqual([`GET ${url.href}`]);
  });
});
