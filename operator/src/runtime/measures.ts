export type Labels = Readonly<Record<string, string | number | boolean>>;

export interface Counter {
  add(value: number, labels?: Labels): void;
}

export interface Histogram {
  record(value: number, labels?: Labels): void;
}

export interface MetricOptions {
  readonly description: string;
  /** A UCUM unit, as OpenTelemetry wants it: `s`, `By`, `{cluster}`. */
  readonly unit?: string;
  /** Upper bounds, for histograms. */
  readonly boundaries?: readonly number[];
}

export interface Observation {
  readonly value: number;
  readonly labels?: Labels;
}

/** Numbers for the monitoring. Names are dotted and start with `hashcluster.operator.`. */
export interface Metrics {
  counter(name: string, options: MetricOptions): Counter;
  histogram(name: string, options: MetricOptions): Histogram;
  /** Read when somebody collects. */
  gauge(name: string, options: MetricOptions, read: () => readonly Observation[]): void;
}
