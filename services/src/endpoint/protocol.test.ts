import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { call, post, raw } from './testing/http-client.ts';

const endpoints = new TestEndpoints();
let it: Running;
beforeAll(async () => {
  it = await endpoints.start({ allowedHosts: [] });
});
afterAll(() => endpoints.stopAll());

/** All that comes back for these bytes, on a connection of their own. */
async function answer(text: string): Promise<string> {
  const connection = await raw(it.port, text);
  await until(() => connection.text().includes('\r\n\r\n'));
  connection.socket.destroy();
  await connection.closed;
  return connection.text();
}

const HOST = 'Host: localhost\r\n';
const SMALL = '{"data":"a","iterations":3}';

describe('a request', () => {
  test.each([
    ['of another HTTP version', `GET / HTTP/0.9\r\n${HOST}\r\n`, 400, 'HTTP/1.1'],
    ['with two Host headers', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400, 'more than one Host'],
    [
      'with a transfer coding that is not known',
      `PUT /enqueue?iterations=3 HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      501,
      'chunked only',
    ],
    ['for another name', 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421, 'ALLOWED_HOSTS'],
    ['for all of the server', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 204, 'Allow: GET'],
  ])('%s is answered as it should be', async (_name, text, status, says) => {
    const got = await answer(text);
    expect(got).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(got).toContain(says);
  });

  test.each([
    ['GET', '/', {}],
    ['DELETE', '/v1/jobs/00000000000000000000000000', {}],
    ['POST', '/v1/jobs', { 'content-type': 'application/json' }],
    ['PUT', '/enqueue?iterations=3', {}],
  ] as const)('%s %s for another name changes nothing', async (method, path, headers) => {
    const body = method === 'GET' || method === 'DELETE' ? '' : SMALL;
    const { status } = await call(`${it.url}${path}`, {
      ...{ method, body },
      headers: { ...headers, host: 'evil.example' },
    });
    expect([status, it.store.records.size]).toEqual([421, 0]);
  });

  test.each(['localhost', 'LOCALHOST:5000', '127.0.0.1', '[::1]:5000', 'hash.localhost'])(
    'for %s, which is this machine, is served',
    async (host) => {
      expect((await call(`${it.url}/`, { headers: { host } })).status).toBe(200);
    },
  );
});

describe('a body that is not the data', () => {
  test.each([
    ['a part of it', { 'content-range': 'bytes 3-5/6' }, 400, 'from its start'],
    ['a form', { 'content-type': 'multipart/form-data; boundary=x' }, 415, 'curl -T'],
  ])('%s is refused, with the way to do it', async (_name, headers, status, says) => {
    const reply = await call(`${it.url}/enqueue?iterations=3`, { method: 'PUT', headers, body: 'abc' });
    expect([reply.status, it.store.records.size]).toEqual([status, 0]);
    expect(reply.text).toContain(says);
  });

  test('a type that every object has is not understood', async () => {
    expect((await post(it.url, SMALL, { 'content-type': 'constructor' })).status).toBe(415);
  });
});

describe('a document', () => {
  test.each([
    ['JSON', 'application/json', SMALL],
    ['a JSON array', 'application/json', `[${SMALL}]`],
    ['NDJSON', 'application/x-ndjson', `${SMALL}\n`],
  ])('%s may begin with a byte order mark', async (_name, type, text) => {
    const reply = await post(it.url, `\ufeff${text}`, { 'content-type': type, prefer: 'wait=10' });
    expect([200, 202]).toContain(reply.status);
    expect(reply.text).not.toContain('problem');
  });

  test('that has a key twice, one with much data, is refused', async () => {
    const text = `{"data":"${'a'.repeat(8_000_000)}","data":"x","iterations":3}`;
    const reply = await post(it.url, text);
    expect([reply.status, reply.text]).toEqual([422, expect.stringContaining('more than once')]);
  });
});

test('a client that closes its side while it waits is answered', async () => {
  const text = '{"data":"half-closed","iterations":1000}';
  const head = `POST /v1/jobs HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nPrefer: wait=1\r\n`;
  const connection = await raw(it.port);
  connection.socket.end(`${head}Content-Length: ${text.length}\r\n\r\n${text}`);
  await connection.closed;
  expect(connection.text()).toMatch(/^HTTP\/1.1 20[02] /);
});
