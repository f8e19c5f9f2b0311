import { afterEach, describe, expect, test } from '@jest/globals';
import { Agent } from 'node:http';
import { createEndpoint } from './endpoint.ts';
import { TestEndpoints, testDeps, until } from './testing/harness.ts';
import { call, post, raw } from './testing/http-client.ts';
import { aliveMessage, facts } from './testing/jobs.ts';

const endpoints = new TestEndpoints();
const job = { data: 'a', iterations: 1e6 };
const { id } = facts('a', 1e6);

afterEach(() => endpoints.stopAll());

describe('starting', () => {
  test('twice is starting once, and listens where it says', async () => {
    const it = await endpoints.start();
    await it.endpoint.start();
    expect(it.endpoint.address()).toEqual({ host: '127.0.0.1', port: it.port });
    expect([it.bus.listeners('alive'), it.bus.listeners('results')]).toEqual([1, 1]);
    expect(it.endpoint.trouble()).toBeNull();
  });

  test('fails when the port is taken', async () => {
    const { port } = await endpoints.start();
    const second = createEndpoint(testDeps({ port }));
    await expect(second.start()).rejects.toThrow('EADDRINUSE');
    expect(second.trouble()).not.toBeNull();
    await second.stop();
  });

  test('does not need the bus, which is joined as soon as it is there', async () => {
    const deps = testDeps({ recheckMs: 20 });
    deps.bus.away = true;
    const it = await endpoints.start({}, deps);
    expect((await post(it.url, job)).status).toBe(202);
    expect(it.endpoint.trouble()).toBeNull();
    deps.bus.away = false;
    await until(() => it.bus.listeners('alive') === 1 && it.bus.listeners('results') === 1);
    await it.bus.publish('alive', [aliveMessage()]);
    expect((await call(`${it.url}/v1/workers`)).json!['items']).toHaveLength(1);
  });
});

describe('trouble', () => {
  test('is having not started, having stopped, and a store that stays away', async () => {
    const deps = testDeps({ storeRetryMs: 20, sweepIntervalMs: 10 });
    const endpoint = createEndpoint(deps);
    expect(endpoint.trouble()).toContain('not started');
    await endpoint.start();
    deps.store.away = Infinity;
    await until(() => endpoint.trouble() !== null);
    expect(endpoint.trouble()).toContain('the store has been away');
    deps.store.away = 0;
    await until(() => endpoint.trouble() === null);
    await endpoint.stop();
    expect(endpoint.trouble()).toContain('stopping');
  });
});

describe('draining', () => {
  test('finishes what is under way, turns away what is new, and closes', async () => {
    const it = await endpoints.start();
    let open = (): void => undefined;
    it.store.gate = new Promise<void>((resolve) => (open = resolve));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const underWay = call(`${it.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(job),
      agent,
    });
    await until(() => it.store.calls.includes('submit'));
    const pipelined = await raw(it.port, 'GET /v1/cluster HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => it.store.calls.includes('backlog'));
    const stopped = it.endpoint.stop();
    pipelined.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect(call(`${it.url}/`)).rejects.toThrow('ECONNREFUSED');
    open();
    expect((await underWay).status).toBe(202);
    await pipelined.closed;
    expect(pipelined.text()).toMatch(
      /^HTTP\/1.1 200 [^]*HTTP\/1.1 503 [^]*Connection: close[^]*problems\/draining/,
    );
    await stopped;
    expect(it.logger.with('The endpoint has stopped')[0]?.fields).toEqual({ clean: true });
    expect([it.bus.listeners('alive'), it.bus.listeners('results')]).toEqual([0, 0]);
    agent.destroy();
  });

  test('answers those who wait with how things stand, and ends event streams', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const waiting = call(`${it.url}/v1/jobs/${id}`, { headers: { prefer: 'wait=60' } });
    const stream = call(`${it.url}/v1/jobs/${id}/events`);
    await until(() => it.metrics.gauges.get('hashcluster.endpoint.watchers')!()[0]!.value === 2);
    await until(() => it.store.calls.filter((name) => name === 'get').length > 0);
    await it.endpoint.stop();
    expect(await waiting).toMatchObject({ status: 200, json: { state: 'queued' } });
    expect((await stream).text).toMatch(/^event: state\n/);
  });

  test('cuts off what does not come to an end', async () => {
    const it = await endpoints.start({ drainMs: 100 });
    const connection = await raw(
      it.port,
      'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n',
    );
    await call(`${it.url}/`);
    await it.endpoint.stop();
    await connection.closed;
    expect(it.logger.with('The endpoint has stopped')[0]?.fields).toEqual({ clean: false });
  });

  test('does not wait for ever for a store that hangs', async () => {
    const it = await endpoints.start({ drainMs: 50 });
    it.store.gate = new Promise(() => undefined);
    const reply = post(it.url, job).then(({ status }) => String(status), String);
    await until(() => it.store.calls.includes('submit'));
    await it.endpoint.stop();
    expect(await reply).toMatch(/hang up|ECONNRESET/);
  });

  test('is idempotent, also before the start', async () => {
    const it = await endpoints.start();
    await Promise.all([it.endpoint.stop(), it.endpoint.stop()]);
    await it.endpoint.stop();
    const never = createEndpoint(testDeps());
    await never.stop();
    await never.start();
    expect(never.address()).toBeNull();
  });
});
