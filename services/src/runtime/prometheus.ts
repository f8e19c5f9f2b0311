import type { IncomingMessage, ServerResponse } from 'node:http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
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

/** A Prometheus text endpoint. What could not be read is logged; the rest is shown all the same. */
export function prometheusEndpoint(logger: Logger): PrometheusEndpoint {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer('', false, undefined, false, true);
  const handler: MetricsHandler = async (_request, response) => {
    const { resourceMetrics, errors } = await reader.collect();
    for (const error of errors) logger.warn('A metric cannot be read', { error });
    response.writeHead(200, { 'content-type': CONTENT_TYPE });
    response.end(serializer.serialize(resourceMetrics));
  };
  return { reader, handler };
}
