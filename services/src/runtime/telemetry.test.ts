import { afterEach, describe, expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import { AdminServer } from './admin-server.ts';
import { observeProcess } from './process-metrics.ts';
import { type Env, readSettings } from './settings.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';
import { telemetrySettings } from './telemetry-settings.ts';
import { TelemetryTrouble } from './telemetry-trouble.ts';
import { RecordingLogger } from './testing/recording-logger.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Telemetry with an admin server; `scrape` asks as Prometheus does. */
async function setup(env: Env = {}) {
  const log: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log.push(chunk.toString());
      done();
    },
  });
  const clock = { ms: 0, now: () => Date.now(), monotonic: () => clock.ms };
  const telemetry: Telemetry = await startTelemetry({
    service: 'hashcluster-test',
    version: '1.2.3',
    instance: 'me',
    settings: readSettings(env, telemetrySettings),
    log: { level: 'info', format: 'json', stream, clock },
  });
  stops.push(() => telemetry.stop());
  const admin = new AdminServer({
    host: '127.0.0.1',
    port: 0,
    ready: {},
    metrics: telemetry.prometheusHandler,
    logger: telemetry.logger,
  });
  stops.push(() => admin.stop());
  const { port } = await admin.start();
  const scrape = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    const body = await response.text();
    return { status: response.status, type: response.headers.get('content-type'), lines: body.split('\n') };
  };
  return { ...telemetry, scrape, log, clock };
}

/** The value of a series, by how its line begins. */
function valueOf(lines: readonly string[], series: string): number {
  const line = lines.find((candidate) => candidate.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no series ${series} in\n${lines.join('\n')}`);
  return Number(line.split(' ').at(-1));
}

describe('a scrape', () => {
  test('reads the metrics once a second, however many scrape', async () => {
    const { metrics, scrape, clock } = await setup();
    let readings = 0;
    metrics.gauge('hashcluster.readings', { description: 'Readings' }, () => [{ value: ++readings }]);
    const values = async (): Promise<number[]> => {
      const scrapes = await Promise.all(Array.from({ length: 20 }, () => scrape()));
      return scrapes.map(({ lines }) => valueOf(lines, 'hashcluster_readings'));
    };
    expect(new Set([...(await values()), ...(await values())])).toEqual(new Set([1]));
    clock.ms += 1_000;
    expect(new Set(await values())).toEqual(new Set([2]));
  });

  test('shows counters with their labels, and what they mean', async () => {
    const { metrics, scrape } = await setup();
    const counter = metrics.counter('hashcluster.jobs.submitted', {
      description: 'Jobs submitted',
      unit: '{job}',
    });
    counter.add(2);
    counter.add(1, { kind: 'known', status: 200 });
    counter.add(4, { status: 200, kind: 'known' });
    const { lines, type } = await scrape();
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(lines).toContain('# HELP hashcluster_jobs_submitted_total Jobs submitted');
    expect(lines).toContain('# TYPE hashcluster_jobs_submitted_total counter');
    expect(valueOf(lines, 'hashcluster_jobs_submitted_total')).toBe(2);
    expect(valueOf(lines, 'hashcluster_jobs_submitted_total{kind="known",status="200"}')).toBe(5);
  });

  test('adds up what is counted under one name in several places', async () => {
    const { metrics, scrape } = await setup();
    const options = { description: 'Work' };
    metrics.counter('hashcluster.work', options).add(1);
    metrics.counter('hashcluster.work', options).add(1);
    expect(valueOf((await scrape()).lines, 'hashcluster_work_total')).toBe(2);
  });

  test('shows histograms with their own boundaries', async () => {
    const { metrics, scrape } = await setup();
    const histogram = metrics.histogram('hashcluster.request.duration', {
      description: 'Time to answer',
      unit: 's',
      boundaries: [0.01, 0.1],
    });
    for (const seconds of [0.001, 0.05, 3]) histogram.record(seconds, { route: '/v1/jobs' });
    const { lines } = await scrape();
    const series = 'hashcluster_request_duration';
    expect(valueOf(lines, `${series}_bucket{route="/v1/jobs",le="0.01"}`)).toBe(1);
    expect(valueOf(lines, `${series}_bucket{route="/v1/jobs",le="0.1"}`)).toBe(2);
    expect(valueOf(lines, `${series}_bucket{route="/v1/jobs",le="+Inf"}`)).toBe(3);
    expect(valueOf(lines, `${series}_sum{route="/v1/jobs"}`)).toBeCloseTo(3.051, 9);
  });

  test('reads gauges at that moment, from all who observe', async () => {
    const { metrics, scrape, clock } = await setup();
    const options = { description: 'Jobs held' };
    let held = 1;
    metrics.gauge('hashcluster.jobs.held', options, () => [{ value: held, labels: { worker: 'a' } }]);
    metrics.gauge('hashcluster.jobs.held', options, () => [{ value: 9, labels: { worker: 'b' } }]);
    expect(valueOf((await scrape()).lines, 'hashcluster_jobs_held{worker="a"}')).toBe(1);
    held = 5;
    clock.ms += 1_000;
    const { lines } = await scrape();
    expect(valueOf(lines, 'hashcluster_jobs_held{worker="a"}')).toBe(5);
    expect(valueOf(lines, 'hashcluster_jobs_held{worker="b"}')).toBe(9);
  });

  test('survives a gauge that throws, and the log says so', async () => {
    const { metrics, scrape, log } = await setup();
    metrics.gauge('hashcluster.broken', { description: 'x' }, () => {
      throw new Error('nobody home');
    });
    metrics.counter('hashcluster.fine', { description: 'x' }).add(1);
    const { status, lines } = await scrape();
    expect(status).toBe(200);
    expect(valueOf(lines, 'hashcluster_fine_total')).toBe(1);
    expect(log.join('')).toContain('nobody home');
  });

  test('is bounded, however many labels there are', async () => {
    const { metrics, scrape } = await setup();
    const counter = metrics.counter('hashcluster.many', { description: 'x' });
    for (let i = 0; i < 5_000; i++) counter.add(1, { i });
    const { lines } = await scrape();
    const series = lines.filter((line) => line.startsWith('hashcluster_many_total{'));
    expect(series.length).toBeLessThanOrEqual(2_000);
    expect(series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(5_000);
  });

  test('names the process and says what it costs', async () => {
    const { scrape } = await setup();
    const { lines } = await scrape();
    const target = lines.find((line) => line.startsWith('target_info'));
    expect(target).toContain('service_name="hashcluster-test"');
    expect(target).toContain('service_version="1.2.3"');
    expect(target).toContain('service_instance_id="me"');
    expect(valueOf(lines, 'hashcluster_process_memory_rss')).toBeGreaterThan(1e6);
    expect(valueOf(lines, 'hashcluster_process_cpu_time{mode="user"}')).toBeGreaterThan(0);
    expect(valueOf(lines, 'hashcluster_process_event_loop_delay_p99')).toBeGreaterThanOrEqual(0);
  });
});

describe('telemetry', () => {
  test('traces nothing when nothing is configured, but keeps the trace of a caller who does', async () => {
    const { tracer } = await setup();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(tracer.start('job', 'internal').traceId).toBeNull();
    const span = tracer.start('request', 'server', {}, { traceparent });
    expect(span.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    span.set({ a: 1 });
    span.end(new Error('x'));
    expect(tracer.start('request', 'server', {}, { traceparent: 'nonsense' }).traceId).toBeNull();
    const zeros = `00-${'0'.repeat(32)}-b7ad6b7169203331-01`;
    expect(tracer.start('request', 'server', {}, { traceparent: zeros }).traceId).toBeNull();
  });

  test('that is disabled does nothing but log', async () => {
    const { metrics, tracer, scrape, logger, log } = await setup({ OTEL_SDK_DISABLED: 'true' });
    metrics.counter('a', { description: 'x' }).add(1);
    metrics.histogram('b', { description: 'x' }).record(1);
    metrics.gauge('c', { description: 'x' }, () => []);
    expect(tracer.start('d', 'internal').traceId).toBeNull();
    expect((await scrape()).status).toBe(404);
    logger.info('Hello');
    expect(log).toHaveLength(1);
  });

  test('may be stopped twice, and started again', async () => {
    const first = await setup();
    await Promise.all([first.stop(), first.stop()]);
    const second = await setup();
    second.metrics.counter('hashcluster.again', { description: 'x' }).add(1);
    expect(valueOf((await second.scrape()).lines, 'hashcluster_again_total')).toBe(1);
  });
});

test('garbage collections are counted by kind', async () => {
  const read: (() => readonly { value: number; labels?: unknown }[])[] = [];
  const gauges = {
    counter: () => ({ add: () => undefined }),
    histogram: () => ({ record: () => undefined }),
    gauge: (name: string, _options: unknown, reader: () => readonly { value: number }[]) => {
      if (name.endsWith('gc.time')) read.push(reader);
    },
  };
  const watching = observeProcess(gauges);
  try {
    let garbage: unknown[] = [];
    while (read[0]!().length === 0) {
      for (let i = 0; i < 100_000; i++) garbage.push({ i });
      garbage = [];
      await new Promise(setImmediate);
    }
    expect(read[0]!()[0]).toMatchObject({ labels: { kind: expect.any(String) } });
    expect(read[0]!()[0]!.value).toBeGreaterThan(0);
  } finally {
    watching.stop();
  }
});

test('trouble with telemetry is logged at once, then every ten seconds, with what was left out', () => {
  let now = 0;
  const logger = new RecordingLogger();
  const trouble = new TelemetryTrouble(logger, { now: () => now, monotonic: () => now });
  for (const at of [0, 1, 5_000, 9_999, 10_000, 20_000]) {
    now = at;
    trouble.error('collector is away', { code: 1 });
  }
  trouble.info();
  expect(logger.lines).toEqual(new Array(3).fill('warn Telemetry is in trouble'));
  expect(logger.records.map(({ fields }) => fields['leftOut'])).toEqual([0, 3, 0]);
  expect(logger.records[0]?.fields).toMatchObject({ component: 'telemetry' });
});
