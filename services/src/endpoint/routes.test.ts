import { afterEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { createApp } from './app.ts';
import { chainOf } from '../jobs/digest.ts';
import { createCore } from './core.ts';
import { createSchemas, type Schemas } from './schemas.ts';
import { advanced, MemoryTracer } from './testing/doubles.ts';
import { TestEndpoints, testDeps, until } from './testing/harness.ts';
import { call, post, type Reply } from './testing/http-client.ts';
import { aliveMessage, facts } from './testing/jobs.ts';

const schemas = createSchemas({ maxIterations: Number.MAX_SAFE_INTEGER, maxBatchItems: 10_000 });
const endpoints = new TestEndpoints();

afterEach(() => endpoints.stopAll());

/** What the API's own description says of an answer. */
function expectToBe(
  schema: { [K in keyof Schemas]: Schemas[K] extends { parse: unknown } ? K : never }[keyof Schemas],
  reply: Reply,
): void {
  expect(schemas[schema].safeParse(reply.json).error).toBeUndefined();
}

describe('POST /v1/jobs', () => {
  test('answers a short job with its digest at once', async () => {
    const { url } = await endpoints.start();
    const reply = await post(url, { data: 'hello', iterations: 3 });
    expectToBe('job', reply);
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      state: 'done',
      digest: advanced(chainOf('hello'), 2),
      computed: 2,
      progress: 1,
    });
    expect(reply.headers['location']).toBe(`/v1/jobs/${String(reply.json!['id'])}`);
    expect(Number(reply.headers['content-length'])).toBe(Buffer.byteLength(reply.text));
    expect(reply.headers['x-powered-by']).toBeUndefined();
  });

  test('accepts a long job, says where it is, and dispatches it once', async () => {
    const { url, bus, logger } = await endpoints.start();
    const { id } = facts('hello', 5_000_000);
    for (let i = 0; i < 2; i++) {
      const reply = await post(url, { data: 'hello', iterations: 5_000_000 });
      expectToBe('job', reply);
      expect([reply.status, reply.headers['location']]).toEqual([202, `/v1/jobs/${id}`]);
      expect(reply.json).toMatchObject({ id, state: 'queued', position: 1, digest: null });
    }
    await until(() => bus.published.length > 0);
    expect(bus.messages('jobs.1')).toEqual([{ id, cost: 4_999_999 }]);
    expect(logger.with('Job accepted')[0]?.fields['job']).toBe(id);
  });

  test('takes data as text, as base64, and as the digest to go on from', async () => {
    const { url } = await endpoints.start();
    const items = [
      { data: 'hällo', iterations: 2 },
      { dataBase64: Buffer.from('hällo').toString('base64'), iterations: 2 },
      { digest: chainOf('hällo'), iterations: 2 },
    ];
    const replies = await Promise.all(items.map((item) => post(url, item)));
    expect(new Set(replies.map(({ json }) => json!['id'])).size).toBe(1);
  });

  test.each([1, 499, 500, 501, 1_234])(
    'answers a batch of %d in order, as an array and as lines',
    async (count) => {
      const { url } = await endpoints.start();
      const items = Array.from({ length: count }, (_, i) => ({
        data: `job ${i}`,
        iterations: i % 2 === 0 ? 1 : 1e6,
      }));
      const ids = items.map(({ data, iterations }) => facts(data, iterations).id);
      const array = await post(url, items);
      expectToBe('batchAnswer', array);
      const lines = await post(url, items.map((item) => JSON.stringify(item)).join('\n'), {
        'content-type': 'application/x-ndjson',
      });
      const answers = lines.text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown);
      for (const list of [array.json!['items'], answers] as { status: number; job: { id: string } }[][]) {
        expect(list.map(({ job }) => job.id)).toEqual(ids);
        expect(list.every(({ status }, i) => status === (i % 2 === 0 ? 200 : 202))).toBe(true);
      }
    },
  );

  test('puts all of a batch into few calls of the store, and frees its memory after the answer', async () => {
    const { url, store, metrics } = await endpoints.start();
    const items = Array.from({ length: 2_500 }, (_, i) => ({ data: `job ${i}`, iterations: 1 }));
    await post(url, items);
    expect(store.batches).toEqual([1_000, 1_000, 500]);
    await until(() => metrics.gauges.get('hashcluster.endpoint.held')!()[0]!.value === 0);
  });

  test('waits for permission before a body is sent, where the client asks', async () => {
    const { url } = await endpoints.start();
    const reply = await post(url, { data: 'a', iterations: 1 }, { expect: '100-continue' });
    expect(reply.status).toBe(200);
  });

  test('says that the store is away, and that asking again is safe', async () => {
    const { url, store } = await endpoints.start({ storeRetryMs: 0 });
    store.away = Infinity;
    const reply = await post(url, { data: 'a', iterations: 1 });
    expectToBe('problem', reply);
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '1']);
    expect(reply.json!['type']).toMatch(/unavailable$/);
    const batch = await post(url, [{ data: 'a', iterations: 1 }, 5]);
    expect((batch.json!['items'] as { status: number }[]).map(({ status }) => status)).toEqual([503, 422]);
  });

  test('hides what is broken inside, but logs it', async () => {
    const { url, store, logger } = await endpoints.start();
    store.list = () => Promise.reject(new Error('secret path /etc'));
    const reply = await call(`${url}/v1/jobs`);
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret');
    expect(logger.with('A request failed')[0]?.fields).toMatchObject({
      problem: 'internal',
      error: { message: 'secret path /etc' },
    });
  });
});

describe('the classic routes', () => {
  test('hash a body as it is and hand out the newest results', async () => {
    const { url } = await endpoints.start();
    const data = Buffer.from([0, 255, 10, 13, 200]);
    const reply = await call(`${url}/enqueue?iterations=1`, { method: 'PUT', body: data });
    expectToBe('job', reply);
    expect([reply.status, reply.json!['digest']]).toEqual([200, chainOf(data)]);
    const long = await call(`${url}/enqueue?iterations=123456789`, { method: 'PUT', body: '' });
    expect([long.status, long.json!['chain']]).toEqual([202, chainOf('')]);
    const pulled = await call(`${url}/pullCompleted?top=5`, { method: 'POST' });
    expectToBe('completed', pulled);
    expect(pulled.json!['items']).toEqual([reply.json]);
  });

  test('take a body of exactly the largest size', async () => {
    const { url } = await endpoints.start({ maxBodyBytes: 70_000 });
    const reply = await call(`${url}/enqueue?iterations=1`, { method: 'PUT', body: Buffer.alloc(70_000) });
    expect(reply.status).toBe(200);
  });
});

describe('reading', () => {
  test('shows a job as it stands, and forbids to keep what will change', async () => {
    const { url } = await endpoints.start();
    await post(url, [
      { data: 'a', iterations: 1e6 },
      { data: 'b', iterations: 1 },
    ]);
    const live = await call(`${url}/v1/jobs/${facts('a', 1e6).id}`);
    expectToBe('job', live);
    expect([live.json!['state'], live.headers['cache-control']]).toEqual(['queued', 'no-store']);
    const done = await call(`${url}/v1/jobs/${facts('b', 1).id}`);
    expect([done.json!['state'], done.headers['cache-control']]).toEqual(['done', undefined]);
  });

  test('pages through a list', async () => {
    const { url } = await endpoints.start();
    await post(
      url,
      Array.from({ length: 7 }, (_, i) => ({ data: `${i}`, iterations: 1 })),
    );
    const seen: unknown[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page = await call(`${url}/v1/jobs?state=done&limit=3${next && `&cursor=${next}`}`);
      expectToBe('page', page);
      seen.push(...(page.json!['items'] as unknown[]));
      next = page.json!['next'] as string | null;
    }
    expect(seen).toHaveLength(7);
    expect((await call(`${url}/v1/jobs?state=running`)).json).toEqual({ items: [], next: null });
  });

  test('shows the workers and the cluster as they are heard', async () => {
    const { url, bus } = await endpoints.start();
    await post(url, { data: 'a', iterations: 1e6 });
    await bus.publish('alive', [aliveMessage({ worker: 'w1', capacity: 1_000, backlogSeconds: 3 })]);
    const workers = await call(`${url}/v1/workers`);
    expectToBe('workers', workers);
    expect(workers.json!['items']).toMatchObject([{ id: 'w1', state: 'live', lanes: 16 }]);
    const cluster = await call(`${url}/v1/cluster`);
    expectToBe('cluster', cluster);
    expect(cluster.json).toMatchObject({
      ...{ version: '1.2.3', mode: 'embedded', endpoint: { id: 'test' }, workers: { live: 1, draining: 0 } },
      backlog: { running: 0, seconds: 1_003 },
    });
  });

  test('shows what the servers of the bus say of themselves', async () => {
    const report = { brokers: [0, 1], disks: [{ broker: 1, used: 5, total: 10 }] };
    const deps = { ...testDeps(), busServers: { report: async () => report } };
    const { url } = await endpoints.start({}, deps);
    const cluster = await call(`${url}/v1/cluster`);
    expectToBe('cluster', cluster);
    expect(cluster.json).toMatchObject({ bus: report });
  });

  test('does not pretend to know when work will be done while nobody does it', async () => {
    const { url } = await endpoints.start();
    await post(url, { data: 'a', iterations: 1e6 });
    const cluster = await call(`${url}/v1/cluster`);
    expectToBe('cluster', cluster);
    expect(cluster.json).toMatchObject({ backlog: { seconds: null } });
  });

  test('answers HEAD as GET, without a body', async () => {
    const { url } = await endpoints.start();
    const [get, head] = [await call(`${url}/`), await call(`${url}/`, { method: 'HEAD' })];
    expectToBe('index', get);
    expect([head.status, head.text, head.headers['content-length']]).toEqual([
      200,
      '',
      get.headers['content-length'],
    ]);
  });

  test('describes itself in OpenAPI 3.1, every route and every problem', async () => {
    const { url } = await endpoints.start();
    const { json } = await call(`${url}/openapi.json`);
    const { openapi, paths, components } = json as {
      openapi: string;
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(openapi).toBe('3.1.0');
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toEqual([
      ...['delete /v1/jobs/{id}', 'get /', 'get /v1/cluster', 'get /v1/jobs', 'get /v1/jobs/{id}'],
      ...[
        'get /v1/jobs/{id}/events',
        'get /v1/workers',
        'post /pullCompleted',
        'post /v1/jobs',
        'put /enqueue',
      ],
    ]);
    expect(components.schemas).toMatchObject({
      JobItem: {
        anyOf: ['TextJobItem', 'Base64JobItem', 'DigestJobItem'].map((name) => ({
          $ref: `#/components/schemas/${name}`,
        })),
      },
      TextJobItem: {
        additionalProperties: false,
        required: ['data', 'iterations'],
        properties: {
          iterations: { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
        },
      },
      Base64JobItem: { additionalProperties: false, required: ['dataBase64', 'iterations'] },
      DigestJobItem: { additionalProperties: false, required: ['digest', 'iterations'] },
      Submission: {},
      SubmissionAnswer: {},
      Problem: {},
      Job: {},
    });
    expect(Object.keys(paths['/enqueue']!['put']!.responses)).toEqual(
      expect.arrayContaining(['200', '202', '408', '413', '422', '429', '500', '503']),
    );
    expect(JSON.stringify(paths['/enqueue'])).toContain('"name":"iterations","in":"query"');
  });
});

describe('traces and metrics', () => {
  test('tie an answer to the trace of its caller', async () => {
    const deps = { ...testDeps(), tracer: new MemoryTracer() };
    const { url, logger, tracer } = await endpoints.start({}, deps);
    const traceId = 'ab'.repeat(16);
    await post(url, { data: 'a', iterations: 1e6 }, { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` });
    expect(tracer.ended).toMatchObject([
      { name: 'POST /v1/jobs', labels: { 'http.route': '/v1/jobs', 'http.response.status_code': 202 } },
    ]);
    expect(logger.with('Job accepted')[0]?.fields['traceId']).toBe(traceId);
  });

  test('count requests by route, whatever the id in it', async () => {
    const { url, metrics } = await endpoints.start();
    await call(`${url}/v1/jobs/${'0'.repeat(26)}`);
    await call(`${url}/v1/jobs/${'1'.repeat(26)}`);
    const name =
      'hashcluster.http.request.duration{http.route=/v1/jobs/:id,http.request.method=GET,http.response.status_code=404}';
    expect(metrics.sums.get(name)).toBe(2);
  });
});

test('the application can be driven without listening', async () => {
  const app = createApp(createCore(testDeps()));
  const reply = await supertest(app.handle).post('/v1/jobs').send({ data: 'a', iterations: 1 });
  expect([reply.status, (reply.body as { digest: string }).digest]).toEqual([200, chainOf('a')]);
  app.stop();
});
