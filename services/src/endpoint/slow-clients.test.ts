import { afterEach, describe, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { EventEmitter } from 'node:events';
import { isTooSlow, SlowBodies } from './slow-bodies.ts';
import { SlowReaders } from './slow-readers.ts';
import { ManualClock } from './testing/doubles.ts';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { call, post, raw, type Raw } from './testing/http-client.ts';

const endpoints = new TestEndpoints();
const TRICKLING = { headersTimeoutMs: 200, bodyRateWindowMs: 200, minBodyBytesPerSecond: 1_000 };

afterEach(() => endpoints.stopAll());

const shed = ({ metrics }: Running, reason: string): number =>
  metrics.sums.get(`hashcluster.endpoint.shed{reason=${reason}}`) ?? 0;

/** Sends a byte now and then, until the other side ends the connection. */
async function trickle(port: number, head: string): Promise<Raw> {
  const connection = await raw(port, head);
  const timer = setInterval(() => connection.socket.writable && connection.socket.write('a'), 20);
  await connection.closed;
  clearInterval(timer);
  return connection;
}

describe('clients that trickle', () => {
  test('their headers are told so and cut off', async () => {
    const it = await endpoints.start(TRICKLING);
    const { text } = await trickle(it.port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Long: ');
    expect(text()).toMatch(/^HTTP\/1.1 408 /);
    expect(text()).toContain('problems/too-slow');
    expect(shed(it, 'slow-headers')).toBe(1);
  });

  test('say nothing at all are cut off', async () => {
    const it = await endpoints.start(TRICKLING);
    await (
      await raw(it.port)
    ).closed;
    expect((await call(`${it.url}/`)).status).toBe(200);
  });

  test.each([
    ['data', 'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n'],
    ['a large body', 'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n'],
    [
      'JSON',
      'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n',
    ],
  ])('%s are told so and cut off', async (_what, head) => {
    const it = await endpoints.start(TRICKLING);
    const { text } = await trickle(it.port, head);
    expect(text()).toMatch(/^HTTP\/1.1 408 /);
    expect(text()).toContain('problems/too-slow');
    expect(shed(it, 'slow-body')).toBe(1);
    expect(it.store.records.size).toBe(0);
  });

  test('a body that nobody reads are cut off too', async () => {
    const it = await endpoints.start(TRICKLING);
    const { text } = await trickle(
      it.port,
      'GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n',
    );
    expect(text()).toMatch(/^HTTP\/1.1 404 /);
    expect(shed(it, 'slow-body')).toBe(1);
  });

  test('do not hurt the others', async () => {
    // Wide windows: on a busy machine honest clients stand still for a moment, too.
    const it = await endpoints.start({ ...TRICKLING, headersTimeoutMs: 2_000, bodyRateWindowMs: 2_000 });
    const heads = [
      'GET / HTTP/1.1\r\nX: ',
      'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n',
    ];
    const slow = Array.from({ length: 40 }, (_, i) => trickle(it.port, heads[i % 2]!));
    let served = 0;
    while (shed(it, 'slow-body') + shed(it, 'slow-headers') < 40) {
      const reply = await post(it.url, { data: `${served}`, iterations: 1 });
      expect(reply.status).toBe(200);
      served++;
    }
    await Promise.all(slow);
    expect(it.store.records.size).toBe(served);
  });
});

test('connections beyond the limit are dropped, and come in when there is room', async () => {
  const it = await endpoints.start({ maxConnections: 2 });
  const held = [await raw(it.port), await raw(it.port)];
  const third = await raw(it.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await third.closed;
  expect(third.text()).toBe('');
  expect(shed(it, 'connections')).toBe(1);
  held[0]!.socket.destroy();
  await until(async () => (await call(`${it.url}/`).catch(() => null))?.status === 200);
  held[1]!.socket.destroy();
});

describe('watching bodies', () => {
  /** A request that is on its way in. */
  class Incoming {
    readonly headers: Record<string, string>;
    readonly socket = { bytesRead: 0 };
    complete = false;
    destroyed = false;
    paused = false;

    constructor(headers: Record<string, string>) {
      this.headers = headers;
    }

    isPaused(): boolean {
      return this.paused;
    }
  }

  async function setup(headers: Record<string, string> = { 'content-length': '100000' }) {
    const clock = new ManualClock();
    const slow: unknown[] = [];
    const bodies = new SlowBodies({
      clock,
      minBytesPerSecond: 100,
      windowMs: 10_000,
      onSlow: (req) => slow.push(req),
    });
    bodies.start();
    const req = new Incoming(headers);
    bodies.watch(req as unknown as IncomingMessage, {} as ServerResponse);
    await new Promise((resolve) => setImmediate(resolve));
    const after = (ms: number, bytes: number): number => {
      clock.advance(ms);
      req.socket.bytesRead += bytes;
      bodies.check();
      return slow.length;
    };
    return { bodies, req, after };
  }

  test('lets those be that are quick enough, window by window', async () => {
    const { bodies, after } = await setup();
    expect([after(9_999, 0), after(1, 1_000), after(10_000, 1_000), after(10_000, 999)]).toEqual([
      0, 0, 0, 1,
    ]);
    expect(bodies.size).toBe(0);
    bodies.stop();
  });

  test('does not let a quick beginning make up for a slow rest', async () => {
    const { bodies, after } = await setup();
    expect([after(10_000, 1e9), after(10_000, 0)]).toEqual([0, 1]);
    bodies.stop();
  });

  test('does not blame a client whom we keep waiting', async () => {
    const { bodies, req, after } = await setup();
    req.paused = true;
    expect(after(10_000, 0)).toBe(0);
    bodies.stop();
  });

  test('forgets a body that is complete, and never looks at a request without one', async () => {
    const { bodies, req, after } = await setup();
    req.complete = true;
    expect([after(10_000, 0), bodies.size]).toEqual([0, 0]);
    bodies.stop();
    for (const headers of [{}, { 'content-length': '0' }]) {
      const none = await setup(headers);
      expect(none.bodies.size).toBe(0);
      none.bodies.stop();
    }
  });

  test.each([
    [0, 1_000, 0, false],
    [999, 1_000, 1_000, true],
    [1_000, 1_000, 1_000, false],
    [500, 500, 1_000, false],
  ])('%d bytes in %d ms, at least %d a second: too slow %p', (bytes, ms, min, slow) => {
    expect(isTooSlow(bytes, ms, min)).toBe(slow);
  });
});

describe('watching readers', () => {
  /** A connection on which answers wait. */
  class Outgoing extends EventEmitter {
    writableLength = 0;
    bytesWritten = 0;
  }

  function setup() {
    const clock = new ManualClock();
    let slow = 0;
    const readers = new SlowReaders({
      clock,
      minBytesPerSecond: 100,
      windowMs: 10_000,
      onSlow: () => slow++,
    });
    const socket = new Outgoing();
    readers.watch(socket as unknown as Socket);
    /** So much later, so much more was written, and so much of all waits. */
    const after = (ms: number, written: number, waiting: number): number => {
      clock.advance(ms);
      socket.bytesWritten += written;
      socket.writableLength = waiting;
      readers.check();
      return slow;
    };
    return { after, socket };
  }

  test('lets those be that take enough in each window', () => {
    const { after } = setup();
    const seen = [
      after(0, 50_000, 50_000),
      after(10_000, 0, 49_000),
      after(9_000, 0, 49_000),
      after(1_000, 0, 48_001),
    ];
    expect(seen).toEqual([0, 0, 0, 1]);
  });

  test('does not blame a client for whom nothing waits', () => {
    const { after } = setup();
    expect([after(0, 10, 0), after(60_000, 0, 0), after(1, 5_000, 5_000), after(9_999, 0, 5_000)]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(after(1, 0, 5_000)).toBe(1);
  });

  test('forgets a connection that is closed', () => {
    const { after, socket } = setup();
    after(0, 5_000, 5_000);
    socket.emit('close');
    expect(after(60_000, 0, 5_000)).toBe(0);
  });
});
