import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

/** Answers one scrape. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A metric reader without a server of its own, and the handler that shows what it reads. */
export interface PrometheusEndpoint {
  readonly reader: PrometheusExporter;
  readonly handler: MetricsHandler;
}

/** Source: Prometheus documentation, "Exposition formats", text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Metrics are read this often at most, however many scrape: a reading takes some milliseconds of the event loop. */
const VALID_MS = 1_000;

/** A Prometheus text endpoint. What could not be read is logged; the rest is shown all the same. */
export function prometheusEndpoint(logger: Logger, clock: Clock): PrometheusEndpoint {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer('', false, undefined, false, true);
  const read = async (): Promise<Buffer> => {
    const { resourceMetrics, errors } = await reader.collect();
    for (const error of errors) logger.warn('A metric cannot be read', { error });
    return Buffer.from(serializer.serialize(resourceMetrics));
  };
  let last: { readonly text: Promise<Buffer>; readonly at: number } | null = null;
  const handler: MetricsHandler = async (_request, response) => {
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
  };
  return { reader, handler };
}
