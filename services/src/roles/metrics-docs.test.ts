import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { busMetrics } from '../adapters/kafka/bus-metrics.ts';
import { Link } from '../adapters/mongo/store/link.ts';
import { endpointMetrics } from '../endpoint/endpoint-metrics.ts';
import { registerGauges } from '../endpoint/gauges.ts';
import type { MetricOptions, Metrics } from '../ports/metrics.ts';
import { damageReport } from '../runtime/damage-report.ts';
import { observeProcess } from '../runtime/process-metrics.ts';
import { workerMetrics } from '../worker/worker-metrics.ts';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(SOURCES, '../../docs/operations.md');

/** Where metrics are registered, and how. */
const REGISTER: Readonly<Record<string, (metrics: Metrics) => unknown>> = {
  'adapters/kafka/bus-metrics.ts': busMetrics,
  'adapters/mongo/store/link.ts': (metrics) => new Link({ metrics } as never),
  'endpoint/endpoint-metrics.ts': endpointMetrics,
  'endpoint/gauges.ts': (metrics) => registerGauges({ deps: { metrics } } as never, null as never),
  'runtime/damage-report.ts': (metrics) => damageReport(null as never, metrics),
  'runtime/process-metrics.ts': (metrics) => observeProcess(metrics).stop(),
  'worker/worker-metrics.ts': (metrics) => workerMetrics(metrics, null as never, null as never),
};

/** A row of the table for each metric that is registered. */
function registered(register: Iterable<(metrics: Metrics) => unknown>): string[] {
  const rows: string[][] = [];
  const note =
    (kind: string) =>
    (name: string, { description }: MetricOptions): never =>
      rows.push([`\`${name}\``, kind, description]) as never;
  const metrics = { counter: note('counter'), histogram: note('histogram'), gauge: note('gauge') };
  for (const each of register) each(metrics);
  return rows.map((cells) => cells.join(' | ')).sort();
}

/** The rows of the table in the docs, without the blanks that align them. */
function documented(): string[] {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('| Metric of endpoints')) + 2);
  const cells = (row: string): string[] => row.slice(1, -1).split('|');
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((row) =>
    cells(row)
      .map((cell) => cell.trim())
      .join(' | '),
  );
}

describe('the table of metrics', () => {
  test('has every metric of endpoints and workers, as it is registered', () => {
    expect(documented()).toEqual(registered(Object.values(REGISTER)));
  });

  test('knows every file that registers metrics', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    );
    const registering = files.filter((name) =>
      /metrics\s*\.(counter|gauge|histogram)\(/.test(readFileSync(join(SOURCES, name), 'utf8')),
    );
    expect(registering.sort()).toEqual(Object.keys(REGISTER).sort());
  });
});
