import {
  type Context,
  propagation,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import type { Labels } from '../ports/metrics.ts';
import type { Span, TraceCarrier, Tracer } from '../ports/tracer.ts';

/** More spans than this are not open at once, unless some are never ended; then the logs do without. */
const MAX_OPEN = 10_000;

/** The spans that are open now, by trace, so that log records can be tied to them. */
export class OpenSpans {
  readonly #byTrace = new Map<string, OtelSpan>();

  opened(span: OtelSpan): void {
    if (this.#byTrace.size < MAX_OPEN) this.#byTrace.set(span.spanContext().traceId, span);
  }

  ended(span: OtelSpan): void {
    const { traceId } = span.spanContext();
    if (this.#byTrace.get(traceId) === span) this.#byTrace.delete(traceId);
  }

  /** Where a log record that names this trace belongs. */
  contextOf(traceId: string): Context | undefined {
    const span = this.#byTrace.get(traceId);
    return span && trace.setSpan(ROOT_CONTEXT, span);
  }
}

class TracedSpan implements Span {
  readonly traceId: string;
  readonly #span: OtelSpan;
  readonly #open: OpenSpans;

  constructor(span: OtelSpan, open: OpenSpans) {
    this.#span = span;
    this.#open = open;
    this.traceId = span.spanContext().traceId;
    open.opened(span);
  }

  set(labels: Labels): void {
    this.#span.setAttributes(labels);
  }

  end(error?: Error): void {
    if (error) {
      this.#span.recordException(error);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    this.#span.end();
    this.#open.ended(this.#span);
  }
}

/** Spans on an OpenTelemetry tracer. Parents are read as `OTEL_PROPAGATORS` says; W3C Trace Context by default. */
export class OtelTracerPort implements Tracer {
  readonly #tracer: OtelTracer;
  readonly #open: OpenSpans;

  constructor(tracer: OtelTracer, open: OpenSpans) {
    this.#tracer = tracer;
    this.#open = open;
  }

  start(name: string, kind: 'server' | 'internal', labels: Labels = {}, parent?: TraceCarrier): Span {
    const context = parent ? propagation.extract(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const spanKind = kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL;
    const span = this.#tracer.startSpan(name, { kind: spanKind, attributes: labels }, context);
    return new TracedSpan(span, this.#open);
  }
}
