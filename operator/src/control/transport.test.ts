import { afterEach, describe, expect, test } from '@jest/globals';
import { ApiError, ConnectionError } from './errors.ts';
import { type Fault, FakeApiServer } from './testing/fake-api-server.ts';
import { type ApiRequest, type Attempt, Transport, type TransportOptions } from './transport.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function setup(options: Partial<TransportOptions> = {}) {
  const server = await FakeApiServer.start();
  const attempts: Attempt[] = [];
  const transport = new Transport({
    config: server.config(),
    random: () => 0,
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  stops.push(
    () => transport.stop(),
    () => server.stop(),
  );
  return { server, transport, attempts };
}

const PODS = '/api/v1/namespaces/a/pods';
const GET: ApiRequest = { method: 'GET', path: PODS };
const CREATE: ApiRequest = {
  method: 'POST',
  path: PODS,
  body: { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'p' }, future: { field: 1 } },
};

describe('a request', () => {
  test('carries the token, and JSON goes in and out with fields that nobody knows', async () => {
    const { server, transport } = await setup();
    await transport.request(CREATE);
    await expect(transport.request({ ...GET, path: `${PODS}/p` })).resolves.toMatchObject({
      future: { field: 1 },
    });
    expect(server.requests[0]).toMatchObject({
      authorization: 'Bearer a-token',
      contentType: 'application/json',
    });
  });

  test('opens no connection of its own', async () => {
    const { server, transport } = await setup({ perSecond: 10_000 });
    for (let i = 0; i < 50; i++) await transport.request(GET);
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  test('fails with status, reason and message of the server', async () => {
    const { transport } = await setup();
    const failed = transport.request({ ...GET, path: `${PODS}/none` });
    await expect(failed).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
    await expect(failed).rejects.toThrow(`GET ${PODS}/none: 404 NotFound: none not found`);
  });
});

describe('a request that fails', () => {
  const FAULT: Fault = { kind: 'status', status: 500 };
  const BUSY: Fault = { kind: 'status', status: 429 };
  const PATCH: ApiRequest = { ...CREATE, method: 'PATCH', path: `${PODS}/p`, query: { fieldManager: 'x' } };

  test.each<[string, ApiRequest, Fault, number]>([
    ['a GET that gets 500', GET, FAULT, 2],
    ['a GET that gets 503', GET, { kind: 'status', status: 503 }, 2],
    ['a GET whose connection is cut', GET, { kind: 'reset' }, 2],
    ['a GET whose answer is cut', GET, { kind: 'garbage' }, 2],
    ['a GET that gets 403', GET, { kind: 'status', status: 403 }, 1],
    ['a GET that gets 501', GET, { kind: 'status', status: 501 }, 1],
    ['a POST that gets 500', CREATE, FAULT, 1],
    ['a POST whose connection is cut', CREATE, { kind: 'reset' }, 1],
    ['a POST that gets 429', CREATE, BUSY, 2],
    ['a POST that gets 429 and must not be repeated', { ...CREATE, again: 'never' }, BUSY, 1],
    ['an apply that gets 500', { ...PATCH, again: 'always' }, FAULT, 2],
    ['an apply whose answer is lost', { ...PATCH, again: 'always' }, { kind: 'lost' }, 2],
  ])('%s', async (_case, request, fault, sent) => {
    const { server, transport } = await setup();
    server.fail(fault, 1);
    const outcome = await transport.request(request).then(
      () => 'done',
      () => 'failed',
    );
    expect([outcome, server.requests.length]).toEqual([sent === 2 ? 'done' : 'failed', sent]);
  });

  test('waits as long as the server asks', async () => {
    const { server, transport } = await setup();
    server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '1' } }, 1);
    await transport.request(GET);
    const [first, second] = server.requests;
    expect(second!.at - first!.at).toBeGreaterThan(950);
  });

  test('gives up when its budget is used up, with the last error', async () => {
    const { server, transport, attempts } = await setup({ retryBudgetMs: 1_000 });
    server.fail({ kind: 'status', status: 500 }, 100);
    await expect(transport.request(GET)).rejects.toThrow(ApiError);
    expect(server.requests.length).toBeGreaterThan(1);
    expect(attempts.map(({ status }) => status)).toEqual(server.requests.map(() => 500));
  });

  test('asks for the credentials again when they are refused', async () => {
    const { server, transport } = await setup();
    server.fail({ kind: 'status', status: 401 }, 1);
    await transport.request(CREATE);
    expect(server.requests).toHaveLength(2);
    server.fail({ kind: 'status', status: 401 }, 100);
    await expect(transport.request(GET)).rejects.toMatchObject({ status: 401 });
    expect(server.requests).toHaveLength(4);
  });

  test('ends when the server stays silent', async () => {
    const { server, transport } = await setup();
    server.fail({ kind: 'silence' }, 1);
    const silent = transport.request({ ...GET, timeoutMs: 50, again: 'never' });
    await expect(silent).rejects.toThrow(ConnectionError);
    await expect(silent).rejects.toThrow('no answer within 50 ms');
  });

  test('ends with the reason of its signal', async () => {
    const { server, transport } = await setup();
    server.fail({ kind: 'silence' }, 1);
    const controller = new AbortController();
    const asked = transport.request({ ...GET, signal: controller.signal });
    controller.abort(new Error('no longer the leader'));
    await expect(asked).rejects.toThrow('no longer the leader');
  });

  test('is sent again when nobody was there to take it, whatever it is', async () => {
    const { server, transport } = await setup({ retryBudgetMs: 300 });
    await server.stop();
    const refused = transport.request(CREATE);
    await expect(refused).rejects.toMatchObject({ name: 'ConnectionError', unsent: true });
  });
});

test('requests go at a bounded rate', async () => {
  const { server, transport } = await setup({ perSecond: 20, burst: 2 });
  await Promise.all(Array.from({ length: 6 }, () => transport.request(GET)));
  expect(server.requests.at(-1)!.at - server.requests[0]!.at).toBeGreaterThan(150);
});

test('stopping cuts off what is under way, closes every socket, and may be repeated', async () => {
  const { server, transport } = await setup();
  server.fail({ kind: 'silence' }, 1, ({ path }) => path === PODS);
  const asked = transport.request(GET);
  const refused = expect(asked).rejects.toThrow('The transport has stopped');
  const watch = await transport.stream({ ...GET, path: '/api/v1/pods', query: { watch: true } });
  watch.body.on('error', () => undefined);
  await Promise.all([transport.stop(), transport.stop()]);
  await refused;
  while (server.openSockets > 0) await new Promise(setImmediate);
  await expect(transport.request(GET)).rejects.toThrow('The transport has stopped');
});
