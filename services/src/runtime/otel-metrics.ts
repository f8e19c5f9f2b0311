import type { Meter } from '@opentelemetry/api';
import type { Counter, Histogram, MetricOptions, Metrics, Observation } from '../ports/metrics.ts';

function describe(options: MetricOptions): { description: string; unit?: string } {
  const { description, unit } = options;
  return unit === undefined ? { description } : { description, unit };
}

/**
 * Metrics on an OpenTelemetry meter, which keeps one metric per name: two parts of a process may count the same thing.
 * More than 2,000 label sets of one metric become one series (the SDK's bound).
 */
export class OtelMetrics implements Metrics {
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

  /** Several readers under one name add their observations. A reader that throws costs its own observations only. */
  gauge(name: string, options: MetricOptions, read: () => readonly Observation[]): void {
    const gauge = this.#meter.createObservableGauge(name, describe(options));
    gauge.addCallback((result) => {
      for (const { value, labels } of read()) result.observe(value, labels);
    });
  }
}
