import { afterEach, describe, expect, test } from '@jest/globals';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { call, post, raw, type Raw } from './testing/http-client.ts';
import { aliveMessage, facts } from './testing/jobs.ts';

const endpoints = new TestEndpoints();
const job = { data: 'a', iterations: 1e6 };
const { id } = facts('a', 1e6);
const digest = 'd'.repeat(128);

afterEach(() => endpoints.stopAll());

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: { readonly state: string; readonly position: number; readonly digest: string | null };
}

interface Stream extends Raw {
  readonly events: () => Event[];
  readonly names: () => string[];
}

async function follow({ port }: Running, headers = ''): Promise<Stream> {
  const connection = await raw(port, `GET /v1/jobs/${id}/events HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  await until(() => connection.text().includes('\r\n\r\n'));
  const events = (): Event[] =>
    [...connection.text().matchAll(/event: (\w+)\nid: (\w+)\ndata: (.*)\n\n/g)].map(
      ([, event, name, data]) => ({
        event: event!,
        id: name!,
        data: JSON.parse(data!) as Event['data'],
      }),
    );
  return { ...connection, events, names: () => events().map((one) => `${one.event} ${one.id}`) };
}

let said = 0;

async function moved({ bus }: Running, position: number): Promise<void> {
  await bus.publish('alive', [aliveMessage({ at: ++said, positions: [{ id, position }] })]);
}

async function finish({ store, bus }: Running): Promise<void> {
  await store.complete([
    { ...facts('a', 1e6), digest, computed: 9, worker: 'w1', createdAt: 1, startedAt: 1 },
  ]);
  await bus.publish('results', [{ id, outcome: 'done', digest }]);
}

const streams = ({ metrics }: Running): number =>
  metrics.gauges.get('hashcluster.endpoint.streams')!()[0]!.value;

describe('the events of a job', () => {
  test('tell its state, its progress and its end, and then the stream ends', async () => {
    const it = await endpoints.start({ recheckMs: 20 });
    await post(it.url, job);
    const stream = await follow(it);
    await until(() => stream.names().length === 1);
    await it.store.claim('w1', { ids: [id] });
    await until(() => stream.names().length === 2);
    await moved(it, 1_000);
    await moved(it, 500_000);
    await moved(it, 400_000);
    await until(() => stream.names().length === 4);
    await finish(it);
    await until(() => stream.names().includes('end end'));
    expect(stream.names()).toEqual(['state 1', 'state 1', 'progress 1000', 'progress 500000', 'end end']);
    expect(stream.events().map(({ data }) => data.state)).toEqual([
      'queued',
      'running',
      'running',
      'running',
      'done',
    ]);
    expect(stream.events().at(-1)!.data.digest).toBe(digest);
    expect(stream.text()).toMatch(
      /^HTTP\/1.1 200 OK\r\nContent-Type: text\/event-stream\r\nCache-Control: no-store/,
    );
    await until(() => streams(it) === 0);
    stream.socket.destroy();
  });

  test('of a job that has ended are its end', async () => {
    const it = await endpoints.start();
    await post(it.url, { data: 'a', iterations: 1 });
    const reply = await call(`${it.url}/v1/jobs/${facts('a', 1).id}/events`);
    expect(reply.text).toMatch(/^event: end\nid: end\ndata: \{.*\}\n\n$/);
  });

  test('go on from the position that was seen last, telling nothing twice', async () => {
    const it = await endpoints.start({ recheckMs: 20 });
    await post(it.url, job);
    await it.store.claim('w1', { ids: [id] });
    await moved(it, 5_000);
    const same = await follow(it, 'Last-Event-ID: 5000\r\n');
    const behind = await follow(it, 'Last-Event-ID: 4000\r\n');
    const fresh = await follow(it);
    await until(() => behind.names().length === 1 && fresh.names().length === 1);
    expect([same.names(), behind.names(), fresh.names()]).toEqual([[], ['state 5000'], ['state 5000']]);
    await moved(it, 4_999);
    await moved(it, 6_000);
    await until(() => same.names().length === 1);
    expect(same.names()).toEqual(['progress 6000']);
    for (const stream of [same, behind, fresh]) stream.socket.destroy();
  });

  test('after the end was seen are none, and the client shall not come again', async () => {
    const it = await endpoints.start();
    await post(it.url, { data: 'a', iterations: 1 });
    const headers = { 'last-event-id': 'end' };
    const reply = await call(`${it.url}/v1/jobs/${facts('a', 1).id}/events`, { headers });
    expect([reply.status, reply.text]).toEqual([204, '']);
  });

  test('start from the beginning after an id that is none of ours', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const stream = await follow(it, 'Last-Event-ID: yesterday\r\n');
    await until(() => stream.names().length === 1);
    stream.socket.destroy();
  });

  test('come with a heartbeat when nothing happens', async () => {
    const it = await endpoints.start({ sseHeartbeatMs: 10 });
    await post(it.url, job);
    const stream = await follow(it);
    await until(() => stream.text().split(':\n\n').length > 3);
    stream.socket.destroy();
    await until(() => streams(it) === 0);
  });

  test('survive the loss of every message', async () => {
    const it = await endpoints.start({ recheckMs: 20 });
    await post(it.url, job);
    const stream = await follow(it);
    await it.store.complete([
      { ...facts('a', 1e6), digest, computed: 9, worker: 'w', createdAt: 1, startedAt: 1 },
    ]);
    await until(() => stream.names().includes('end end'));
    stream.socket.destroy();
  });

  test('are for a limited number of clients, and make room when one leaves', async () => {
    const it = await endpoints.start({ maxSseStreams: 1 });
    await post(it.url, job);
    const stream = await follow(it);
    const refused = await call(`${it.url}/v1/jobs/${id}/events`);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    stream.socket.destroy();
    await until(() => streams(it) === 0);
    const next = await follow(it);
    await until(() => next.names().length === 1);
    next.socket.destroy();
  });

  test('of an unknown job are refused, and leave nothing behind', async () => {
    const it = await endpoints.start();
    expect((await call(`${it.url}/v1/jobs/${id}/events`)).status).toBe(404);
    expect(streams(it)).toBe(0);
    expect(it.metrics.gauges.get('hashcluster.endpoint.watchers')!()[0]!.value).toBe(0);
  });

  test('answer HEAD with their headers alone', async () => {
    const it = await endpoints.start();
    await post(it.url, job);
    const reply = await call(`${it.url}/v1/jobs/${id}/events`, { method: 'HEAD' });
    expect([reply.status, reply.headers['content-type'], reply.text]).toEqual([200, 'text/event-stream', '']);
  });
});
