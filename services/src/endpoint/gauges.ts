import type { Core } from './core.ts';
import type { EventStreams } from './routes/events.ts';
import { WORKER_STATES } from './work/workers-table.ts';

/** Numbers that are read when somebody collects. */
export function registerGauges(
  { deps: { metrics }, store, submitter, watchers, held, workers, backlog }: Core,
  streams: EventStreams,
): void {
  const one = (name: string, description: string, unit: string, read: () => number): void =>
    metrics.gauge(name, { description, unit }, () => [{ value: read() }]);
  one(
    'hashcluster.endpoint.pending',
    'Submissions that wait for the store',
    '{job}',
    () => submitter.pending,
  );
  one(
    'hashcluster.endpoint.watchers',
    'Clients that watch a job, by waiting or by events',
    '{client}',
    () => watchers.size,
  );
  one(
    'hashcluster.store.clocks.disagree',
    '1 while clocks disagree by more than a minute, and so no result is deleted; else 0',
    '1',
    () => Number(store.clockTrouble() !== null),
  );
  one('hashcluster.endpoint.streams', 'Open event streams', '{stream}', () => streams.size);
  one('hashcluster.endpoint.held', 'Bytes of requests held in memory', 'By', () => held.held);
  metrics.gauge('hashcluster.workers', { description: 'Workers, by state', unit: '{worker}' }, () => {
    const rows = workers.rows();
    return WORKER_STATES.map((state) => ({
      value: rows.filter((row) => row.state === state).length,
      labels: { state },
    }));
  });
  metrics.gauge('hashcluster.queue.jobs', { description: 'Queued jobs, by cost class', unit: '{job}' }, () =>
    queued('jobs'),
  );
  metrics.gauge(
    'hashcluster.queue.iterations',
    { description: 'Iterations left of queued jobs, by cost class', unit: '{iteration}' },
    () => queued('iterations'),
  );

  /** As read last; asks for a newer reading for the next collection. */
  function queued(what: 'jobs' | 'iterations') {
    // A failure is counted and logged where the store is called.
    backlog.read().catch(() => null);
    return (backlog.last?.queued ?? []).map((queue) => ({
      value: queue[what],
      labels: { class: queue.class },
    }));
  }
}
