import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { Metrics } from '../ports/metrics.ts';
import type { Tracer } from '../ports/tracer.ts';
import { settlesWithin } from './deadline.ts';
import { logExportTransport } from './log-export.ts';
import { createLogger, type LoggerOptions, type ServiceLogger } from './logger.ts';
import { noopMetrics, noopTracer } from './noop-telemetry.ts';
import { OtelMetrics } from './otel-metrics.ts';
import { OpenSpans, OtelTracerPort } from './otel-tracer.ts';
import { type Exporting, otlpMetricReaders, startExport } from './otlp.ts';
import { observeProcess } from './process-metrics.ts';
import { type MetricsHandler, prometheusEndpoint } from './prometheus.ts';
import { systemClock } from './system-clock.ts';
import type { TelemetrySettings } from './telemetry-settings.ts';
import { TelemetryTrouble } from './telemetry-trouble.ts';

const SCOPE = 'hashcluster';
const STOP_MS = 3_000;

export interface TelemetryOptions {
  /** `service.name`, `service.version`, `service.instance.id`. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win. */
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  readonly settings: TelemetrySettings;
  readonly log: Omit<LoggerOptions, 'service' | 'transports'>;
  /** What is left after this many milliseconds of flushing is lost. Default: 3 s. */
  readonly stopMs?: number;
}

/** Logs, metrics and traces of a process. */
export interface Telemetry {
  readonly logger: ServiceLogger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  /** For the admin port's `/metrics`. */
  readonly prometheusHandler: MetricsHandler;
  /** Flushes within a bound and lets go of everything. Idempotent. */
  stop(): Promise<void>;
}

/** Logs only. */
function disabledTelemetry(options: TelemetryOptions): Telemetry {
  const logger = createLogger({ ...options.log, service: options.service });
  return {
    logger,
    metrics: noopMetrics,
    tracer: noopTracer,
    prometheusHandler: (_request, response) => {
      response
        .writeHead(404, { 'content-type': 'text/plain' })
        .end('Metrics are disabled (OTEL_SDK_DISABLED).\n');
      return Promise.resolve();
    },
    stop: () => {
      logger.close();
      return Promise.resolve();
    },
  };
}

function describeProcess({ service, version, instance }: TelemetryOptions): Resource {
  const own = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: service,
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: instance,
  });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [hostDetector, envDetector] }));
}

/** Ends everything at once, says what failed, and gives up on what takes too long. */
async function endAll(parts: readonly Exporting[], stopMs: number, logger: ServiceLogger): Promise<void> {
  const all = Promise.all(
    parts.map(async (part) => {
      try {
        await part.shutdown();
      } catch (error) {
        logger.warn('Telemetry was not flushed', { component: 'telemetry', error });
      }
    }),
  );
  if (await settlesWithin(all, stopMs)) return;
  logger.warn('Telemetry was not flushed in time', { component: 'telemetry', stopMs });
}

/**
 * Starts logs, metrics and traces. Metrics can always be scraped; they, traces and logs are exported when the `OTEL_*`
 * variables name an exporter or an OTLP endpoint, and a collector that is away costs nothing but a warning.
 * OpenTelemetry keeps its trace and log providers per process, so one process starts this once.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { settings, stopMs = STOP_MS } = options;
  if (settings.disabled) return disabledTelemetry(options);

  const resource = describeProcess(options);
  // Whoever reads it before it is complete is warned, at every reading.
  await resource.waitForAsyncAttributes?.();
  const exporting = await startExport(settings, resource);
  const openSpans = new OpenSpans();
  const transports = settings.logs ? [logExportTransport((traceId) => openSpans.contextOf(traceId))] : [];
  const logger = createLogger({ ...options.log, service: options.service, transports });
  diag.setLogger(new TelemetryTrouble(logger, options.log.clock ?? systemClock), {
    logLevel: DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });

  const prometheus = prometheusEndpoint(logger, options.log.clock ?? systemClock);
  const meters = new MeterProvider({
    resource,
    readers: [prometheus.reader, ...(await otlpMetricReaders(settings.metrics))],
  });
  const metrics = new OtelMetrics(meters.getMeter(SCOPE, options.version));
  const processMetrics = observeProcess(metrics);

  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    processMetrics.stop();
    await endAll(exporting ? [exporting, meters] : [meters], stopMs, logger);
    for (const api of [trace, context, propagation, diag]) api.disable();
    logger.close();
  };
  return {
    logger,
    metrics,
    tracer: settings.traces
      ? new OtelTracerPort(trace.getTracer(SCOPE, options.version), openSpans)
      : noopTracer,
    prometheusHandler: prometheus.handler,
    stop: () => (stopping ??= stop()),
  };
}
