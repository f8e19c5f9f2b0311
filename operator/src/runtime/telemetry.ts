import type { ServerResponse } from 'node:http';
import type { Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { systemClock, type Clock } from './clock.ts';
import type { Logger } from './log.ts';
import type { Counter, Histogram, MetricOptions, Metrics, Observation } from './measures.ts';

/** Source: Prometheus documentation, "Exposition formats", text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function describe({ description, unit }: MetricOptions): { description: string; unit?: string } {
  return unit === undefined ? { description } : { description, unit };
}

class OtelMetrics implements Metrics {
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  counter(name: string, options: MetricOptions): Counter {
    return this.#meter.createCounter(name, describe(options));
  }

  histogram(name: string, options: MetricOptions): Histogram {
    const { boundaries } = options;
    const advice = boundaries ? { advice: { explicitBucketBoundaries: [...boundaries] } } : {};
    return this.#meter.createHistogram(name, { ...describe(options), ...advice });
  }

  gauge(name: string, options: MetricOptions, read: () => readonly Observation[]): void {
    this.#meter.createObservableGauge(name, describe(options)).addCallback((result) => {
      for (const { value, labels } of read()) result.observe(value, labels);
    });
  }
}

/** Metrics are read this often at most, however many scrape: a reading takes some milliseconds of the event loop. */
const VALID_MS = 1_000;

/** The metrics of this process, and how they are shown. */
export interface Telemetry {
  readonly metrics: Metrics;
  /** Answers one scrape, in Prometheus' text format. */
  readonly scrape: (response: ServerResponse) => Promise<void>;
  /** Idempotent. */
  readonly stop: () => Promise<void>;
}

/** Metrics that are read by scraping, beside the memory and the CPU time of this process. */
export function startTelemetry(logger: Logger, version: string, clock: Clock = systemClock): Telemetry {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer('', false, undefined, false, true);
  const provider = new MeterProvider({ readers: [reader] });
  const metrics = new OtelMetrics(provider.getMeter('hashcluster', version));
  metrics.gauge('hashcluster.process.memory.rss', { description: 'Resident memory', unit: 'By' }, () => [
    { value: process.memoryUsage.rss() },
  ]);
  metrics.gauge('hashcluster.process.cpu.time', { description: 'CPU time used', unit: 's' }, () => {
    const { user, system } = process.cpuUsage();
    return [{ value: (user + system) / 1e6 }];
  });
  const read = async (): Promise<Buffer> => {
    const { resourceMetrics, errors } = await reader.collect();
    for (const error of errors) logger.warn('A metric cannot be read', { error });
    return Buffer.from(serializer.serialize(resourceMetrics));
  };
  let last: { readonly text: Promise<Buffer>; readonly at: number } | null = null;
  let stopping: Promise<void> | null = null;
  return {
    metrics,
    scrape: async (response) => {
      const now = clock.monotonic();
      if (last === null || now - last.at >= VALID_MS) last = { text: read(), at: now };
      const reading = last;
      try {
        const text = await reading.text;
        response.writeHead(200, { 'content-type': CONTENT_TYPE, 'content-length': text.length });
        response.end(text);
      } catch (error) {
        if (last === reading) last = null;
        throw error;
      }
    },
    stop: () => (stopping ??= provider.shutdown()),
  };
}
