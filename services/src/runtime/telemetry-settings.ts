import type { EnvReader } from './settings.ts';

const PROTOCOLS = ['http/protobuf', 'http/json', 'grpc'] as const;
export type OtlpProtocol = (typeof PROTOCOLS)[number];

export interface MetricExportSettings {
  readonly otlp: boolean;
  readonly protocol: OtlpProtocol;
  /** How often metrics are sent, and how long that may take; milliseconds. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Which signals leave the process. Where to and how, the exporters read from the same environment by themselves. */
export interface TelemetrySettings {
  readonly disabled: boolean;
  readonly traces: boolean;
  readonly logs: boolean;
  readonly metrics: MetricExportSettings;
}

type Signal = 'TRACES' | 'METRICS' | 'LOGS';

const EXPORTERS: Readonly<Record<Signal, readonly string[]>> = {
  TRACES: ['otlp', 'zipkin', 'console', 'none'],
  METRICS: ['otlp', 'prometheus', 'none'],
  LOGS: ['otlp', 'console', 'none'],
};

/**
 * The exporters of a signal. Unlike OpenTelemetry's own default, nothing is exported to a collector that nobody has
 * named: without `OTEL_<SIGNAL>_EXPORTER` there is an exporter only when an OTLP endpoint is set.
 */
function exportersOf(read: EnvReader, signal: Signal): readonly string[] {
  const name = `OTEL_${signal}_EXPORTER`;
  const endpoint =
    read.has('OTEL_EXPORTER_OTLP_ENDPOINT') || read.has(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
  const listed = read.text(name, { default: endpoint ? 'otlp' : 'none' }).split(',');
  const exporters = listed.map((item) => item.trim()).filter((item) => item !== '');
  const unknown = exporters.find((item) => !EXPORTERS[signal].includes(item));
  if (unknown !== undefined) {
    read.fault(name, `expected ${EXPORTERS[signal].join(', ')}, got ${JSON.stringify(unknown)}`);
  }
  return exporters.includes('none') ? [] : exporters;
}

/**
 * Telemetry by the standard variables. Source: OpenTelemetry specification, "Environment Variable Specification".
 * The Prometheus endpoint is always there, so `OTEL_METRICS_EXPORTER=prometheus` adds nothing.
 */
export function telemetrySettings(read: EnvReader): TelemetrySettings {
  const common = read.choice('OTEL_EXPORTER_OTLP_PROTOCOL', { default: 'http/protobuf', of: PROTOCOLS });
  const intervalMs = read.integer('OTEL_METRIC_EXPORT_INTERVAL', {
    default: 60_000,
    min: 100,
    max: 3_600_000,
  });
  const timeoutMs = read.integer('OTEL_METRIC_EXPORT_TIMEOUT', { default: 30_000, min: 10, max: 3_600_000 });
  return {
    disabled: read.boolean('OTEL_SDK_DISABLED', false),
    traces: exportersOf(read, 'TRACES').length > 0,
    logs: exportersOf(read, 'LOGS').length > 0,
    metrics: {
      otlp: exportersOf(read, 'METRICS').includes('otlp'),
      protocol: read.choice('OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', { default: common, of: PROTOCOLS }),
      intervalMs,
      timeoutMs: Math.min(timeoutMs, intervalMs),
    },
  };
}
