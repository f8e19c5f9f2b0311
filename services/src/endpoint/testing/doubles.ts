import { hash } from 'node:crypto';
import type { Digest } from '../../jobs/job.ts';
import type { Clock } from '../../ports/clock.ts';
import type { InlineHasher } from '../../ports/hasher.ts';
import type { LogFields, Logger } from '../../ports/logger.ts';
import type { Labels, Metrics, Observation } from '../../ports/metrics.ts';
import type { Span, TraceCarrier, Tracer } from '../../ports/tracer.ts';

/** A clock that only moves when it is told to. */
export class ManualClock implements Clock {
  #ms = 1_700_000_000_000;
  #stepped = 0;

  now(): number {
    return this.#ms + this.#stepped;
  }

  monotonic(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }

  /** Somebody sets the wall clock. The monotonic one does not notice. */
  step(ms: number): void {
    this.#stepped += ms;
  }
}

/** `digest` advanced by `steps` iterations, the plain way. */
export function advanced(digest: Digest, steps: number): Digest {
  let bytes = Buffer.from(digest, 'hex');
  for (let i = 0; i < steps; i++) bytes = hash('sha512', bytes, 'buffer');
  return bytes.toString('hex');
}

/** Hashes with node:crypto, and remembers how much it was given at once. */
export class PlainInlineHasher implements InlineHasher {
  readonly backend = 'node';
  readonly calls: number[][] = [];

  iterate(digests: readonly Digest[], steps: readonly number[]): Digest[] {
    this.calls.push([...steps]);
    return digests.map((digest, i) => advanced(digest, steps[i]!));
  }
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is logged. */
export class MemoryLogger implements Logger {
  readonly lines: LogLine[];
  readonly #fields: LogFields;

  constructor(lines: LogLine[] = [], fields: LogFields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#log('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new MemoryLogger(this.lines, { ...this.#fields, ...fields });
  }

  /** The lines with this message. */
  with(message: string): LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }

  #log(level: LogLine['level'], message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } });
  }
}

/** Adds up what is counted: `name{label=value}` → sum; of histograms, how many values. */
export class MemoryMetrics implements Metrics {
  readonly sums = new Map<string, number>();
  readonly gauges = new Map<string, () => readonly Observation[]>();

  counter(name: string): { add: (value: number, labels?: Labels) => void } {
    return { add: (value, labels) => this.#add(name, value, labels) };
  }

  histogram(name: string): { record: (value: number, labels?: Labels) => void } {
    return { record: (_value, labels) => this.#add(name, 1, labels) };
  }

  gauge(name: string, _options: unknown, read: () => readonly Observation[]): void {
    this.gauges.set(name, read);
  }

  #add(name: string, value: number, labels: Labels = {}): void {
    const parts = Object.entries(labels).map(([key, label]) => `${key}=${label}`);
    const full = parts.length === 0 ? name : `${name}{${parts.join(',')}}`;
    this.sums.set(full, (this.sums.get(full) ?? 0) + value);
  }
}

export interface EndedSpan {
  readonly name: string;
  readonly parent: TraceCarrier | undefined;
  readonly labels: Labels;
  readonly error: Error | undefined;
}

/** Keeps the spans that have ended; `tracing` false: does nothing, as when nobody traces. */
export class MemoryTracer implements Tracer {
  readonly ended: EndedSpan[] = [];
  readonly #tracing: boolean;

  constructor(tracing = true) {
    this.#tracing = tracing;
  }

  start(name: string, _kind: 'server' | 'internal', labels: Labels = {}, parent?: TraceCarrier): Span {
    const all: Record<string, string | number | boolean> = { ...labels };
    const traceId = parent?.traceparent?.split('-')[1] ?? '0'.repeat(31) + '1';
    return {
      traceId: this.#tracing ? traceId : null,
      set: (more) => void Object.assign(all, more),
      end: (error) => void this.ended.push({ name, parent, labels: all, error }),
    };
  }
}
