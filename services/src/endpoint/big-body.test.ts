import { afterEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { TestEndpoints } from './testing/harness.ts';
import { call, raw } from './testing/http-client.ts';

const MIB = 1024 * 1024;
const endpoints = new TestEndpoints();

afterEach(() => endpoints.stopAll());

/** So many MiB, made as they are asked for; tells of each. */
function mebibytes(count: number, onEach: () => void = () => undefined): Readable {
  const chunk = Buffer.alloc(MIB, 'x');
  return Readable.from(
    (function* () {
      for (let i = 0; i < count; i++) {
        onEach();
        yield chunk;
      }
    })(),
    { highWaterMark: 1 },
  );
}

describe('a large body', () => {
  test('is hashed while it streams in, and memory stays flat', async () => {
    const { url } = await endpoints.start();
    await call(`${url}/enqueue?iterations=1`, { method: 'PUT', body: mebibytes(20) });
    const before = process.memoryUsage.rss();
    let peak = before;
    const body = mebibytes(250, () => {
      peak = Math.max(peak, process.memoryUsage.rss());
    });
    const reply = await call(`${url}/enqueue?iterations=1`, { method: 'PUT', body });
    const expected = createHash('sha512');
    for (let i = 0; i < 250; i++) expected.update(Buffer.alloc(MIB, 'x'));
    expect([reply.status, reply.json!['digest']]).toEqual([200, expected.digest('hex')]);
    expect(peak - before).toBeLessThan(64 * MIB);
  });

  test('is cut off soon after it is known to be too large, and memory stays flat', async () => {
    const { url, store } = await endpoints.start({ maxBodyBytes: 10 * MIB });
    let given = 0;
    const before = process.memoryUsage.rss();
    const body = mebibytes(250, () => given++);
    const reply = await call(`${url}/enqueue?iterations=1`, { method: 'PUT', body });
    body.destroy();
    expect(reply.status).toBe(413);
    expect(given).toBeLessThan(60);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
    expect(store.records.size).toBe(0);
  });

  test.each([
    ['headers that cannot be read', 'GARBAGE\r\n\r\n', /^HTTP\/1.1 400 [^]*problems\/malformed-request/],
    [
      'a length that is refused',
      'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n',
      /^HTTP\/1.1 413 [^]*Connection: close[^]*problems\/too-large/,
    ],
    [
      'a query that is refused',
      'PUT /enqueue?iterations=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n',
      /^HTTP\/1.1 422 [^]*problems\/invalid-request/,
    ],
  ])('after %s is read over, and both sides end in peace', async (_what, head, answer) => {
    const { port } = await endpoints.start({ maxBodyBytes: 45_000_000 });
    const client = await raw(port, head);
    const ended = once(client.socket, 'end');
    for (let i = 0; i < 20 && client.socket.writable; i++)
      await new Promise((resolve) => client.socket.write(Buffer.alloc(MIB), resolve));
    await ended;
    // Rejects when the connection is reset.
    await client.closed;
    expect(client.text()).toMatch(answer);
  });

  test.each([
    ['data', (text: string) => text.repeat(MIB / 4), (text: string) => Buffer.from(text)],
    ['dataBase64', (text: string) => text.repeat(MIB / 4), (text: string) => Buffer.from(text, 'base64')],
  ])(
    'as the %s of one item is hashed while it streams in, and none of it is held',
    async (key, part, bytes) => {
      const { url, metrics } = await endpoints.start();
      let held = 0;
      const document = function* (): Generator<string> {
        yield `{"${key}":"`;
        for (let i = 0; i < 30; i++) {
          held = Math.max(held, metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value);
          yield part('QUJD');
        }
        yield '","iterations":1}';
      };
      const headers = { 'content-type': 'application/json' };
      const body = Readable.from(document(), { highWaterMark: 1 });
      const reply = await call(`${url}/v1/jobs`, { method: 'POST', headers, body });
      const expected = createHash('sha512');
      for (let i = 0; i < 30; i++) expected.update(bytes(part('QUJD')));
      expect([reply.status, reply.json!['digest']]).toEqual([200, expected.digest('hex')]);
      expect(held).toBeLessThan(MIB / 2);
      expect(metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value).toBe(0);
    },
  );

  test('as a line that never ends takes no memory', async () => {
    const { url, metrics } = await endpoints.start();
    const before = process.memoryUsage.rss();
    let held = 0;
    const body = mebibytes(60, () => {
      held = Math.max(held, metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value);
    });
    const headers = { 'content-type': 'application/x-ndjson' };
    const reply = await call(`${url}/v1/jobs`, { method: 'POST', headers, body });
    expect(reply.text).toContain('"status":413');
    expect(held).toBeLessThanOrEqual(MIB);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * MIB);
  });

  test('of many clients at once is refused when memory would run out', async () => {
    const { url, metrics } = await endpoints.start({
      maxDocumentBytes: 8 * MIB,
      maxLineBytes: 8 * MIB,
      maxHeldBytes: 16 * MIB,
    });
    let underWay = 0;
    let refused!: () => void;
    const full = new Promise<void>((resolve) => (refused = resolve));
    // The ends wait until all have sent the rest, or the first is refused: they are held at the same time.
    const document = async function* (): AsyncGenerator<string> {
      yield '[{"data":"';
      for (let i = 0; i < 7; i++) yield 'x'.repeat(MIB);
      if (++underWay === 8) refused();
      await full;
      yield '","iterations":1}]';
    };
    const headers = { 'content-type': 'application/json' };
    const replies = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const body = Readable.from(document());
        const reply = await call(`${url}/v1/jobs`, { method: 'POST', headers, body });
        refused();
        return reply;
      }),
    );
    const statuses = new Set(replies.map(({ status }) => status));
    expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true);
    expect(statuses.has(503)).toBe(true);
    expect(metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value).toBe(0);
  });
});
