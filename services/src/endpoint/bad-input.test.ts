import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { PROBLEM_TYPE_BASE } from './problems.ts';
import { TestEndpoints, until, type Running } from './testing/harness.ts';
import { call, post, raw, type Call, type Reply } from './testing/http-client.ts';

const MAX_BODY = 100_000;
const MAX_DOCUMENT = 200_000;
const MAX_ITERATIONS = 9007199254740991;

const endpoints = new TestEndpoints();
let it: Running;

beforeAll(async () => {
  it = await endpoints.start({
    maxBodyBytes: MAX_BODY,
    maxDocumentBytes: MAX_DOCUMENT,
    maxLineBytes: 10_000,
  });
});

afterAll(async () => {
  await endpoints.stopAll();
});

interface Refusal {
  readonly status: number;
  readonly slug: string;
  /** What the detail or an error must say. */
  readonly says: string;
  /** The pointer or parameter that is named. */
  readonly names?: string;
}

function expectRefusal(reply: Reply, { status, slug, says, names }: Refusal): void {
  expect({ status: reply.status, json: reply.json }).toMatchObject({
    status,
    json: { status, type: PROBLEM_TYPE_BASE + slug, title: expect.any(String) as unknown },
  });
  expect(reply.headers['content-type']).toBe('application/problem+json');
  expect(reply.headers['cache-control']).toBe('no-store');
  expect(reply.text).toContain(JSON.stringify(says).slice(1, -1));
  const errors = (reply.json!['errors'] ?? []) as { pointer?: string; parameter?: string }[];
  if (names !== undefined) expect(errors.map((error) => error.pointer ?? error.parameter)).toContain(names);
}

/** The service is unharmed: nothing is stored, nothing is held, and the next request is served. */
async function expectUnharmed(): Promise<void> {
  expect(it.store.records.size).toBe(0);
  const { status } = await call(`${it.url}/`);
  expect(status).toBe(200);
  await until(() => it.metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value === 0);
}

const invalid = (says: string, names: string): Refusal => ({
  status: 422,
  slug: 'invalid-request',
  says,
  names,
});
const malformed = (says: string): Refusal => ({ status: 400, slug: 'malformed-json', says });
const tooLarge = (says: string): Refusal => ({ status: 413, slug: 'too-large', says });

describe('PUT /enqueue refuses', () => {
  const refused: [string, string, Refusal][] = [
    ['iterations missing', '', invalid('iterations is missing', 'iterations')],
    ['iterations empty', '?iterations=', invalid('iterations is empty', 'iterations')],
    ['iterations 0', '?iterations=0', invalid('at least 1', 'iterations')],
    ['iterations negative', '?iterations=-1', invalid('at least 1, not "-1"', 'iterations')],
    ['iterations fractional', '?iterations=1.5', invalid('whole number, not "1.5"', 'iterations')],
    ['iterations 1e400', '?iterations=1e400', invalid('decimal digits, not "1e400"', 'iterations')],
    ['iterations 2^53', '?iterations=9007199254740992', invalid(`at most ${MAX_ITERATIONS}`, 'iterations')],
    ['iterations hexadecimal', '?iterations=0x10', invalid('decimal digits, not "0x10"', 'iterations')],
    ['iterations repeated', '?iterations=1&iterations=1', invalid('more than once', 'iterations')],
    ['iterations repeated, encoded', '?iterations=1&iter%61tions=2', invalid('more than once', 'iterations')],
    ['an unknown parameter', '?iterations=1&speed=9', invalid('"speed" is not a parameter', 'speed')],
    ['__proto__', '?iterations=1&__proto__=9', invalid('"__proto__" is not a parameter', '__proto__')],
  ];

  test.each(refused)('%s', async (_what, query, refusal) => {
    expectRefusal(await call(`${it.url}/enqueue${query}`, { method: 'PUT', body: 'data' }), refusal);
    await expectUnharmed();
  });

  const bodies: [string, Call, Refusal][] = [
    [
      'a body one byte too large, by its length',
      { body: Buffer.alloc(MAX_BODY + 1) },
      tooLarge(`at most ${MAX_BODY} bytes`),
    ],
    [
      'a body too large, while it streams',
      { body: chunks(20, 10_000) },
      tooLarge(`at most ${MAX_BODY} bytes`),
    ],
    [
      'an encoded body',
      { body: 'x', headers: { 'content-encoding': 'gzip' } },
      { status: 415, slug: 'unsupported-media-type', says: 'gzip' },
    ],
  ];

  test.each(bodies)('%s', async (_what, request, refusal) => {
    expectRefusal(await call(`${it.url}/enqueue?iterations=1`, { method: 'PUT', ...request }), refusal);
    await expectUnharmed();
  });
});

function chunks(count: number, bytes: number): Readable {
  return Readable.from(Array.from({ length: count }, () => Buffer.alloc(bytes, 'x')));
}

const good = { data: 'a', iterations: 5 };
const nested = `{"data":${'['.repeat(50_000)}${']'.repeat(50_000)},"iterations":1}`;

describe('POST /v1/jobs refuses', () => {
  const items: [string, unknown, Refusal][] = [
    ['iterations missing', { data: 'a' }, invalid('iterations is missing', '#/iterations')],
    ['iterations 0', { data: 'a', iterations: 0 }, invalid('at least 1, not 0', '#/iterations')],
    ['iterations negative', { data: 'a', iterations: -7 }, invalid('at least 1, not -7', '#/iterations')],
    [
      'iterations fractional',
      { data: 'a', iterations: 2.5 },
      invalid('whole number, not 2.5', '#/iterations'),
    ],
    ['iterations 1e400', '{"data":"a","iterations":1e400}', invalid('too large to be read', '#/iterations')],
    [
      'iterations 2^53',
      { data: 'a', iterations: 2 ** 53 },
      invalid(`at most ${MAX_ITERATIONS}`, '#/iterations'),
    ],
    [
      'iterations as text',
      { data: 'a', iterations: '0x10' },
      invalid('a number, not a string', '#/iterations'),
    ],
    [
      'iterations repeated',
      '{"data":"a","iterations":1,"iterations":1}',
      invalid('more than once', '#/iterations'),
    ],
    ['iterations hexadecimal', '{"data":"a","iterations":0x10}', malformed('JSON')],
    ['an unknown field', { ...good, priority: 1 }, invalid('"priority" is not a field', '#/priority')],
    ['neither data nor digest', { iterations: 1 }, invalid('exactly one', '#')],
    ['both data and digest', { ...good, digest: 'a'.repeat(128) }, invalid('exactly one', '#')],
    ['data that is no text', { data: 5, iterations: 1 }, invalid('data must be a string', '#/data')],
    [
      'base64 with foreign characters',
      { dataBase64: 'Q!==', iterations: 1 },
      invalid('character 2', '#/dataBase64'),
    ],
    ['base64 without padding', { dataBase64: 'QQ', iterations: 1 }, invalid('multiple of 4', '#/dataBase64')],
    [
      'base64 that is not canonical',
      { dataBase64: 'QR==', iterations: 1 },
      invalid('unused bits', '#/dataBase64'),
    ],
    ['a digest of the wrong length', { digest: 'ab', iterations: 1 }, invalid('128 lower-case', '#/digest')],
    [
      'a digest in capitals',
      { digest: 'A'.repeat(128), iterations: 1 },
      invalid('128 lower-case', '#/digest'),
    ],
    ['deep JSON', nested, invalid('nested deeper', '#')],
    ['deep JSON that never ends', '['.repeat(100_000), malformed('not closed')],
    ['broken JSON', '{"data":"a","iterations":', malformed('JSON')],
    ['an empty body', '', malformed('empty')],
    ['a trailing comma', '[{"data":"a","iterations":1},]', malformed('missing before byte')],
    ['broken JSON in an array', `[${JSON.stringify(good)},nope]`, malformed('Element 1')],
    ['text that is no UTF-8', Buffer.from('{"data":"\xff","iterations":1}', 'latin1'), malformed('UTF-8')],
    ['a number', '5', invalid('JSON object', '#')],
    ['an empty batch', [], { status: 422, slug: 'invalid-request', says: 'no items' }],
    ['10,001 items', Array(10_001).fill(5), { status: 422, slug: 'too-many-items', says: 'at most 10000' }],
    ['a document too large', `"${'x'.repeat(MAX_DOCUMENT)}"`, tooLarge(`at most ${MAX_DOCUMENT} bytes`)],
  ];

  test.each(items)('%s', async (_what, body, refusal) => {
    expectRefusal(await post(it.url, body), refusal);
    await expectUnharmed();
  });

  const types: [string | undefined, string][] = [
    [undefined, 'x'],
    ['text/plain', 'x'],
    ['application/x-www-form-urlencoded', 'x'],
    ['application/json; charset=utf-16', '{"data":"a","iterations":1}'],
  ];

  test.each(types)('the content type %p', async (type, body) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    const reply = await call(`${it.url}/v1/jobs`, { method: 'POST', headers, body });
    const says = 'application/json (one item, or an array of them) or application/x-ndjson';
    expectRefusal(reply, { status: 415, slug: 'unsupported-media-type', says });
    await expectUnharmed();
  });

  test('10,001 lines of NDJSON, before any is submitted', async () => {
    const body = `${JSON.stringify({ data: 'a', iterations: 1 })}\n`.repeat(10_001);
    const small = await endpoints.start({});
    const reply = await post(small.url, body, { 'content-type': 'application/x-ndjson' });
    expectRefusal(reply, { status: 422, slug: 'too-many-items', says: 'at most 10000' });
    expect(small.store.records.size).toBe(0);
  });

  test('a document that is too large while it streams', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const reply = await call(`${it.url}/v1/jobs`, { method: 'POST', headers, body: chunks(30, 10_000) });
    expectRefusal(reply, tooLarge(`at most ${MAX_DOCUMENT} bytes`));
    await expectUnharmed();
  });

  test('a parameter', async () => {
    const reply = await call(`${it.url}/v1/jobs?wait=5`, { method: 'POST' });
    expectRefusal(reply, invalid('"wait" is not a parameter', 'wait'));
  });
});

describe('reading refuses', () => {
  const unknown = '0'.repeat(26);
  const refused: [string, string, Refusal][] = [
    ['GET', `/v1/jobs/${unknown}`, { status: 404, slug: 'not-found', says: unknown }],
    ['DELETE', `/v1/jobs/${unknown}`, { status: 404, slug: 'not-found', says: unknown }],
    ['GET', `/v1/jobs/${unknown}/events`, { status: 404, slug: 'not-found', says: unknown }],
    ['GET', '/v1/jobs/nonsense', { status: 400, slug: 'malformed-id', says: '"nonsense" is not a job id' }],
    ['GET', `/v1/jobs/${'8'.repeat(26)}`, { status: 400, slug: 'malformed-id', says: 'not a job id' }],
    ['DELETE', `/v1/jobs/${'A'.repeat(26)}`, { status: 400, slug: 'malformed-id', says: 'not a job id' }],
    ['GET', '/v1/jobs/..%2f..%2fetc/events', { status: 400, slug: 'malformed-id', says: 'not a job id' }],
    ['GET', '/v1/jobs/%E0%A4%A', { status: 400, slug: 'malformed-request', says: 'cannot be decoded' }],
    ['GET', `/v1/jobs/${unknown}?verbose`, invalid('"verbose" is not a parameter', 'verbose')],
    ['GET', '/v1/jobs?state=sleeping', invalid('state must be one of queued, running', 'state')],
    ['GET', '/v1/jobs?state=done&state=done', invalid('state must be one of', 'state')],
    ['GET', '/v1/jobs?limit=0', invalid('limit must be a whole number from 1 to 1000, not "0"', 'limit')],
    ['GET', '/v1/jobs?limit=1001', invalid('from 1 to 1000', 'limit')],
    ['GET', '/v1/jobs?limit=ten', invalid('not "ten"', 'limit')],
    ['GET', '/v1/jobs?cursor=', invalid('cursor is empty', 'cursor')],
    ['GET', '/v1/jobs?cursor=made-up', invalid('not one that this service gave', 'cursor')],
    ['GET', '/v1/jobs?page=2', invalid('"page" is not a parameter', 'page')],
    ['POST', '/pullCompleted', invalid('top is missing', 'top')],
    ['POST', '/pullCompleted?top=0', invalid('top must be a whole number from 1 to 1000', 'top')],
    ['POST', '/pullCompleted?top=1001', invalid('from 1 to 1000', 'top')],
    ['POST', '/pullCompleted?top=5&top=6', invalid('more than once', 'top')],
    ['GET', '/nowhere?x=1', { status: 404, slug: 'unknown-path', says: '/nowhere.' }],
    ['GET', '/v1/jobs/', { status: 404, slug: 'unknown-path', says: '/v1/jobs/' }],
    ['GET', '/V1/JOBS', { status: 404, slug: 'unknown-path', says: '/V1/JOBS' }],
  ];

  test.each(refused)('%s %s', async (method, path, refusal) => {
    const reply = await call(`${it.url}${path}`, { method });
    expectRefusal(reply, refusal);
    expect(reply.json!['instance']).toBe(path.split('?')[0]);
    await expectUnharmed();
  });

  test.each([
    ['PATCH', '/v1/jobs', 'POST, GET, HEAD, OPTIONS'],
    ['POST', `/v1/jobs/${unknown}`, 'GET, DELETE, HEAD, OPTIONS'],
    ['GET', '/enqueue', 'PUT, OPTIONS'],
    ['HEAD', '/pullCompleted', 'POST, OPTIONS'],
    ['DELETE', '/openapi.json', 'GET, HEAD, OPTIONS'],
  ])('%s %s, which is possible otherwise', async (method, path, allow) => {
    const reply = await call(`${it.url}${path}`, { method });
    expect(reply.status).toBe(405);
    expect(reply.headers['allow']).toBe(allow);
    if (method !== 'HEAD') expect(reply.json!['type']).toBe(`${PROBLEM_TYPE_BASE}method-not-allowed`);
    const options = await call(`${it.url}${path}`, { method: 'OPTIONS' });
    expect([options.status, options.headers['allow']]).toEqual([204, allow]);
  });
});

describe('broken HTTP', () => {
  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed-request'],
    [
      'a broken length',
      'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
      400,
      'malformed-request',
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    [
      'an impossible expectation',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n',
      417,
      'expectation-failed',
    ],
    [
      'two lengths',
      'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed-request',
    ],
  ])('%s is answered and cut off', async (_what, text, status, slug) => {
    const connection = await raw(it.port, text);
    await connection.closed;
    expect(connection.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(connection.text()).toContain('Content-Type: application/problem+json');
    expect(connection.text()).toContain(PROBLEM_TYPE_BASE + slug);
    await expectUnharmed();
  });

  test('a client that goes away in mid-body leaves nothing behind', async () => {
    const heads = [
      'PUT /enqueue?iterations=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nsome',
      'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n1e\r\n{"data":"a","iterations":1}\n{"d\r\n',
      'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n[{"data":"a","iterations":1},',
    ];
    const gone = (): number => it.logger.with('The client went away').length;
    const before = gone();
    for (const head of heads) {
      const connection = await raw(it.port, head);
      setTimeout(() => connection.socket.destroy(), 20);
      await connection.closed;
    }
    await until(() => gone() === before + heads.length);
    await expectUnharmed();
  });
});

describe('a batch of which one item is bad', () => {
  const lines = [
    JSON.stringify(good),
    '{"data":"b","iterations":-1}',
    '{"data":',
    '',
    JSON.stringify({ data: 'c', iterations: 1 }),
  ];
  const statuses = (answers: readonly { status: number }[]): number[] => answers.map(({ status }) => status);

  test('as NDJSON takes the others, each answered in its place', async () => {
    const one = await endpoints.start({});
    const reply = await post(one.url, lines.join('\n'), { 'content-type': 'application/x-ndjson' });
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/x-ndjson');
    const answers = reply.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: number; problem?: object });
    expect(statuses(answers)).toEqual([200, 422, 400, 200]);
    expect(answers[1]!.problem).toMatchObject({
      type: `${PROBLEM_TYPE_BASE}invalid-request`,
      errors: [{ pointer: '#/iterations' }],
    });
    expect(one.store.records.size).toBe(2);
  });

  test('as an array takes the others', async () => {
    const one = await endpoints.start({ maxLineBytes: 1_000 });
    const reply = await post(one.url, [
      good,
      5,
      { data: 'x'.repeat(2_000), iterations: 1 },
      { data: 'c', iterations: 1 },
    ]);
    expect(statuses(reply.json!['items'] as { status: number }[])).toEqual([200, 422, 413, 200]);
    expect(one.store.records.size).toBe(2);
  });
});
