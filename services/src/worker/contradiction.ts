import type { JobId } from '../jobs/job.ts';
import type { WorkerDeps } from './deps.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** Two digests for one position: a processor or a memory is broken, here or where the stored one was computed. */
export function reportContradiction(
  deps: WorkerDeps,
  metrics: WorkerMetrics,
  job: JobId,
  position: number,
): void {
  metrics.contradictions.add(1);
  deps.logger.error('A digest contradicts the stored one: hardware is broken; the stored digest stays', {
    job,
    position,
    worker: deps.settings.id,
  });
}
