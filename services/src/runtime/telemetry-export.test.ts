import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { otlpReceiver, type OtlpReceiver } from './testing/otlp-receiver.ts';
import { runScript } from './testing/script.ts';

const receivers: OtlpReceiver[] = [];

afterAll(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
});

async function receiver(status?: number | null): Promise<OtlpReceiver> {
  const made = await otlpReceiver(status);
  receivers.push(made);
  return made;
}

/** A service that makes one trace, one count and two log lines, in a process of its own, for exporters read `OTEL_*`. */
const SERVICE = `
  import { startTelemetry } from './telemetry.ts';
  import { telemetrySettings } from './telemetry-settings.ts';
  import { readSettings } from './settings.ts';
  const { logger, metrics, tracer, stop } = await startTelemetry({
    service: 'hashcluster-test', version: '1', instance: 'me', stopMs: Number(process.env.STOP_MS),
    settings: readSettings(process.env, telemetrySettings),
    log: { level: 'info', format: 'json', stream: 'stderr' },
  });
  const parent = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const request = tracer.start('submit', 'server', { route: '/v1/jobs' }, parent);
  const broken = tracer.start('store', 'internal');
  logger.info('Job submitted', { traceId: request.traceId, job: '0abc' });
  logger.error('Store failed', { error: new Error('outer', { cause: new Error('root') }) });
  broken.end(new Error('disk full'));
  request.set({ status: 202 });
  request.end();
  metrics.counter('hashcluster.jobs.submitted', { description: 'Jobs' }).add(3);
  console.log(JSON.stringify({ request: request.traceId, broken: broken.traceId }));
  await stop();
  console.log('stopped');
  process.exit(0);
`;

async function serve(env: Record<string, string>) {
  const script = runScript(import.meta.url, SERVICE, { STOP_MS: '10000', ...env });
  const ids = JSON.parse(await script.line('request')) as { request: string | null; broken: string | null };
  const { code, stderr } = await script.ended;
  return { ids, code, log: stderr, lines: script.lines };
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly name?: string;
  readonly kind?: number;
  readonly traceId?: string;
  readonly parentSpanId?: string;
  readonly spanId?: string;
  readonly status?: unknown;
  readonly severityText?: string;
  readonly body?: { readonly stringValue?: string };
  readonly attributes?: readonly Attribute[];
  readonly sum?: { readonly dataPoints: readonly { readonly asDouble?: number; readonly asInt?: number }[] };
}

/** Every object under a key, wherever it is in what was received on a path. */
function sent(from: OtlpReceiver, path: string, key: string): Sent[] {
  const found: Sent[] = [];
  const search = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (name === key && Array.isArray(inner)) found.push(...(inner as Sent[]));
      else search(inner);
    }
  };
  for (const { body, path: to } of from.received) if (to === path) search(JSON.parse(body.toString()));
  return found;
}

function attributes(of: Sent | undefined): Record<string, unknown> {
  return Object.fromEntries((of?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe('with an OTLP endpoint', () => {
  let collector: OtlpReceiver;
  let service: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    collector = await receiver();
    service = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_RESOURCE_ATTRIBUTES: 'team=blue',
    });
  });

  test('spans arrive with parent, labels and failure', () => {
    const { ids, code } = service;
    expect(code).toBe(0);
    expect(ids.request).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(ids.broken).toMatch(/^[0-9a-f]{32}$/);
    const spans = sent(collector, '/v1/traces', 'spans');
    const request = spans.find(({ name }) => name === 'submit');
    expect(request).toMatchObject({ traceId: ids.request, parentSpanId: 'b7ad6b7169203331', kind: 2 });
    expect(attributes(request)).toEqual({ route: '/v1/jobs', status: 202 });
    const broken = spans.find(({ name }) => name === 'store');
    expect(broken).toMatchObject({ traceId: ids.broken, kind: 1, status: { code: 2, message: 'disk full' } });
  });

  test('log records arrive as part of the trace that they name, errors with their cause', () => {
    const { ids, log } = service;
    const records = sent(collector, '/v1/logs', 'logRecords');
    const submitted = records.find(({ body }) => body?.stringValue === 'Job submitted');
    const span = sent(collector, '/v1/traces', 'spans').find(({ name }) => name === 'submit');
    expect(submitted).toMatchObject({ severityText: 'info', traceId: ids.request, spanId: span?.spanId });
    expect(attributes(submitted)).toMatchObject({ job: '0abc', traceId: ids.request });
    const failed = records.find(({ body }) => body?.stringValue === 'Store failed');
    expect(attributes(failed)).toMatchObject({
      'exception.type': 'Error',
      'exception.message': 'outer',
      'error.cause.message': 'root',
    });
    expect(log).toContain('"message":"Job submitted"');
  });

  test('metrics arrive', () => {
    const metrics = sent(collector, '/v1/metrics', 'metrics');
    const submitted = metrics.find(({ name }) => name === 'hashcluster.jobs.submitted');
    expect(submitted?.sum?.dataPoints).toEqual([expect.objectContaining({ asDouble: 3 })]);
  });

  test.each(['/v1/traces', '/v1/metrics', '/v1/logs'])('%s says whose it is', (path) => {
    const body = collector.received.find((request) => request.path === path)?.body.toString();
    expect(body).toContain('"service.name","value":{"stringValue":"hashcluster-test"}');
    expect(body).toContain('"team","value":{"stringValue":"blue"}');
  });

  test('protobuf is spoken unless something else is asked for, and the name in the environment wins', async () => {
    const other = await receiver();
    const { ids } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: other.url, OTEL_SERVICE_NAME: 'my-own-name' });
    const id = Buffer.from(ids.request ?? '', 'hex');
    for (const path of ['/v1/traces', '/v1/logs', '/v1/metrics']) {
      const request = other.received.find((candidate) => candidate.path === path);
      expect(request?.contentType).toBe('application/x-protobuf');
      expect(request?.body.includes('my-own-name')).toBe(true);
      expect(request?.body.includes(id)).toBe(path !== '/v1/metrics');
    }
  });

  test('only what is asked for is sent', async () => {
    const other = await receiver();
    const { ids } = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: other.url,
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'prometheus',
    });
    expect([...new Set(other.received.map(({ path }) => path))]).toEqual(['/v1/logs']);
    expect(ids.broken).toBeNull();
  });
});

describe('without a collector', () => {
  test('nothing is complained about when none is configured', async () => {
    const { code, log } = await serve({});
    expect(code).toBe(0);
    expect(log).not.toContain('Telemetry');
  });

  test('that can be reached over gRPC, the log says so', async () => {
    const gone = await otlpReceiver();
    await gone.close();
    const { code, log } = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: gone.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      STOP_MS: '200',
    });
    expect(code).toBe(0);
    expect(log).toMatch(/Telemetry (is in trouble|was not flushed)/);
  });

  test('that answers, stopping is bounded', async () => {
    const silent = await receiver(null);
    const { code, log, lines } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: silent.url, STOP_MS: '200' });
    expect(code).toBe(0);
    expect(lines).toContain('stopped');
    expect(log).toContain('Telemetry was not flushed in time');
  });

  test('that takes anything, the service goes on and the log says so', async () => {
    const refusing = await receiver(400);
    const { code, log } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url });
    expect(code).toBe(0);
    expect(log).toContain('Telemetry is in trouble');
    expect(refusing.received.filter(({ path }) => path === '/v1/logs')).toHaveLength(1);
  });
});
