import type { Labels } from './metrics.ts';

/** What a span's context looks like on the wire. Source: W3C Trace Context, `traceparent`. */
export interface TraceCarrier {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export interface Span {
  /** 32 hexadecimal characters, or null when nobody traces. */
  readonly traceId: string | null;
  set(labels: Labels): void;
  /** Ends the span; with an error, as failed. */
  end(error?: Error): void;
}

/** Traces. Does next to nothing when no exporter is configured. */
export interface Tracer {
  /** A span for something that came from outside (`server`) or was begun here (`internal`). */
  start(name: string, kind: 'server' | 'internal', labels?: Labels, parent?: TraceCarrier): Span;
}
