import { afterEach, describe, expect, test } from '@jest/globals';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { call, post, raw } from './testing/http-client.ts';

const endpoints = new TestEndpoints();

afterEach(() => endpoints.stopAll());

const JOB = { data: 'x', iterations: 1_000_000 };
const LIST = 'GET /v1/jobs?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n';

/** Calls of the store hang until the returned function is called. */
function hold({ store }: Running): () => void {
  let open = (): void => undefined;
  store.gate = new Promise<void>((resolve) => (open = resolve));
  return () => {
    store.gate = null;
    open();
  };
}

const calls = ({ store }: Running, name: string): number => store.calls.filter((one) => one === name).length;

const shed = ({ metrics }: Running, reason: string): number =>
  metrics.sums.get(`hashcluster.endpoint.shed{reason=${reason}}`) ?? 0;

describe('requests that one connection pipelines', () => {
  test('are handled one after the other, and answered in order', async () => {
    const it = await endpoints.start();
    const open = hold(it);
    const client = await raw(it.port, LIST.repeat(20) + 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => calls(it, 'list') > 0);
    // The others have been received by the time that a later connection has its answer.
    await call(`${it.url}/`);
    expect(calls(it, 'list')).toBe(1);
    open();
    await until(() => client.text().includes('HTTP/1.1 404'));
    expect(client.text().match(/HTTP\/1.1 \d+/g)).toEqual([
      ...Array<string>(20).fill('HTTP/1.1 200'),
      'HTTP/1.1 404',
    ]);
    client.socket.destroy();
  });

  test('with bodies are told apart, also when bodies are refused', async () => {
    const it = await endpoints.start();
    const body = JSON.stringify(JOB);
    const head = (type: string): string =>
      `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const requests = [head('application/json'), head('text/plain'), head('application/json')];
    const client = await raw(it.port, requests.map((each) => each + body).join(''));
    await until(() => client.text().match(/HTTP\/1.1 \d+/g)?.length === 3);
    expect(client.text().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 202', 'HTTP/1.1 415', 'HTTP/1.1 202']);
    client.socket.destroy();
  });

  test('are dropped with their connection', async () => {
    const it = await endpoints.start();
    const open = hold(it);
    const client = await raw(it.port, LIST.repeat(20));
    await until(() => calls(it, 'list') === 1);
    client.socket.destroy();
    await client.closed;
    await until(async () => (await call(`${it.url}/`)).status === 200);
    open();
    await post(it.url, JOB);
    expect(calls(it, 'list')).toBe(1);
  });

  test('and are too many, cost the connection', async () => {
    const it = await endpoints.start();
    const open = hold(it);
    const client = await raw(it.port, LIST.repeat(1_100));
    await client.closed;
    expect([client.text(), shed(it, 'pipelined')]).toEqual(['', 1]);
    open();
  });
});

describe('lists', () => {
  test('are read a few at a time, so that submissions do not wait for them', async () => {
    const it = await endpoints.start();
    const open = hold(it);
    const lists = Array.from({ length: 50 }, () =>
      call(`${it.url}/pullCompleted?top=1000`, { method: 'POST' }),
    );
    await until(() => calls(it, 'list') > 0);
    const submitted = post(it.url, JOB);
    await until(() => calls(it, 'submit') === 1);
    expect(calls(it, 'list')).toBeLessThanOrEqual(4);
    open();
    expect((await submitted).status).toBe(202);
    expect(new Set((await Promise.all(lists)).map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('do not keep their place in the line when a client goes or the store fails', async () => {
    const it = await endpoints.start({ storeRetryMs: 0 });
    it.store.away = 10;
    const failed = await Promise.all(Array.from({ length: 10 }, () => call(`${it.url}/v1/jobs`)));
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([503]));
    it.store.away = 0;
    await until(async () => (await call(`${it.url}/v1/jobs`)).status === 200);
  });
});

describe('the rate limit', () => {
  const item = (i: number): string => JSON.stringify({ ...JOB, data: `${i}` });
  const batch = (items: number): string => `[${Array.from({ length: items }, (_, i) => item(i)).join()}]`;

  test.each([
    ['the rows of a list', (url: string) => call(`${url}/v1/jobs?limit=1000`), 1 + 100],
    ['the newest results', (url: string) => call(`${url}/pullCompleted?top=1000`, { method: 'POST' }), 1],
    ['the items of a batch', (url: string) => post(url, batch(1_000)), 1 + 10],
    [
      'the bytes of a body',
      (url: string) =>
        call(`${url}/enqueue?iterations=1`, { method: 'PUT', body: Buffer.alloc(1024 * 1024) }),
      1 + 4,
    ],
    ['nothing but the request, when it is small', (url: string) => post(url, JOB), 1],
  ])('counts %s', async (_what, ask, units) => {
    const setup = 1 + 10;
    const it = await endpoints.start({ rateLimitPerAddress: setup + units + 1 });
    expect((await post(it.url, batch(1_000))).status).toBe(200);
    expect((await ask(it.url)).status).toBeLessThan(300);
    expect((await call(`${it.url}/`)).status).toBe(200);
    expect((await call(`${it.url}/`)).status).toBe(429);
  });
});
