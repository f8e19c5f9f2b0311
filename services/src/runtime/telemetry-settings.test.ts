import { describe, expect, test } from '@jest/globals';
import { type Env, readSettings } from './settings.ts';
import { logSettings } from './log-settings.ts';
import { telemetrySettings } from './telemetry-settings.ts';

const settingsOf = (env: Env) => readSettings(env, telemetrySettings);

/** Which signals are exported: a letter for each. */
function signals(env: Env): string {
  const { traces, logs, metrics } = settingsOf(env);
  return `${traces ? 'T' : ''}${metrics.otlp ? 'M' : ''}${logs ? 'L' : ''}`;
}

describe('exporters', () => {
  test.each<[string, Env, string]>([
    ['nothing configured', {}, ''],
    ['one endpoint for all', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'TML'],
    ['an endpoint for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318' }, 'T'],
    ['an endpoint for logs', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://c:4318' }, 'L'],
    ['exporters by name', { OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'otlp' }, 'TM'],
    [
      'an endpoint, but no logs',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_LOGS_EXPORTER: 'none' },
      'TM',
    ],
    ['a scraper and a receiver', { OTEL_METRICS_EXPORTER: 'prometheus, otlp' }, 'M'],
    ['only a scraper', { OTEL_METRICS_EXPORTER: 'prometheus' }, ''],
    ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }, ''],
  ])('with %s', (_case, env, expected) => {
    expect(signals(env)).toBe(expected);
  });

  test('that do not exist are refused', () => {
    expect(() => settingsOf({ OTEL_TRACES_EXPORTER: 'jaeger' })).toThrow(
      'OTEL_TRACES_EXPORTER: expected otlp, zipkin, console, none, got "jaeger"',
    );
  });
});

test('metrics are not given longer to be sent than the interval', () => {
  expect(settingsOf({ OTEL_METRIC_EXPORT_INTERVAL: '1000' }).metrics).toMatchObject({
    intervalMs: 1_000,
    timeoutMs: 1_000,
  });
});

test('the protocol of metrics falls back on the common one', () => {
  expect(settingsOf({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).metrics.protocol).toBe('grpc');
  expect(
    settingsOf({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' })
      .metrics.protocol,
  ).toBe('http/json');
});

test('logs have a level and a format', () => {
  const parse = (env: Env) =>
    readSettings(env, (read) => logSettings(read, { level: 'info', format: 'json' }));
  expect(parse({})).toEqual({ level: 'info', format: 'json' });
  expect(parse({ LOG_LEVEL: 'DEBUG', LOG_FORMAT: 'pretty' })).toEqual({ level: 'debug', format: 'pretty' });
  expect(() => parse({ LOG_LEVEL: 'loud' })).toThrow(
    'LOG_LEVEL: expected one of silent, error, warn, info, debug',
  );
});
