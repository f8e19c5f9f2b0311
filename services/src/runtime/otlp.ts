import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type MetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { MetricExportSettings, OtlpProtocol, TelemetrySettings } from './telemetry-settings.ts';

/** Something of the SDK that must be flushed and ended. */
export interface Exporting {
  shutdown(): Promise<void>;
}

/** Loaded only when somebody wants them: the SDK's exporters cost a third of a second and 15 MB. */
async function metricExporter(protocol: OtlpProtocol): Promise<PushMetricExporter> {
  const options = { temporalityPreference: AggregationTemporality.CUMULATIVE };
  if (protocol === 'grpc') {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
    return new OTLPMetricExporter(options);
  }
  if (protocol === 'http/json') {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
    return new OTLPMetricExporter(options);
  }
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
  return new OTLPMetricExporter(options);
}

/** The reader that sends metrics to an OTLP receiver; none when nobody asked for it. */
export async function otlpMetricReaders(settings: MetricExportSettings): Promise<MetricReader[]> {
  if (!settings.otlp) return [];
  return [
    new PeriodicExportingMetricReader({
      exporter: await metricExporter(settings.protocol),
      exportIntervalMillis: settings.intervalMs,
      exportTimeoutMillis: settings.timeoutMs,
    }),
  ];
}

/**
 * Starts the export of traces and logs, with exporters, sampler and propagators by the `OTEL_*` variables of the
 * process, and registers them with OpenTelemetry's API. Null when neither is wanted.
 */
export async function startExport(
  settings: TelemetrySettings,
  resource: Resource,
): Promise<Exporting | null> {
  if (!settings.traces && !settings.logs) return null;
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    metricReaders: [],
    ...(settings.traces ? {} : { spanProcessors: [] }),
    ...(settings.logs ? {} : { logRecordProcessors: [] }),
  });
  sdk.start();
  return sdk;
}
