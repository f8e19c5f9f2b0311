import type { Counter, Metrics } from '../../ports/metrics.ts';

export interface BusMetrics {
  readonly published: Counter;
  readonly refused: Counter;
  readonly delivered: Counter;
  readonly bad: Counter;
  readonly foreign: Counter;
  readonly broken: Counter;
}

/** What the bus counts; each by topic. */
export function busMetrics(metrics: Metrics): BusMetrics {
  const counter = (name: string, unit: string, description: string): Counter =>
    metrics.counter(`hashcluster.bus.${name}`, { unit, description });
  return {
    published: counter('published', '{message}', 'Messages that Kafka has taken'),
    refused: counter('refused', '{message}', 'Messages that Kafka may not have taken'),
    delivered: counter('delivered', '{message}', 'Messages that a handler has dealt with'),
    bad: counter('bad', '{message}', 'What came and is no message of ours: skipped'),
    foreign: counter('foreign', '{message}', 'Messages about jobs of another database: dropped'),
    broken: counter('broken', '{session}', 'Sessions with Kafka that broke and were made anew'),
  };
}
