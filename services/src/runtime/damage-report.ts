import type { DamagedFact } from '../ports/job-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';

/** Counts and logs what a store finds damaged: bits flip in a disk or in the memory of a server, and it needs a look. */
export function damageReport(logger: Logger, metrics: Metrics): (fact: DamagedFact) => void {
  const damaged = metrics.counter('hashcluster.store.damaged', {
    description: 'Stored digests whose check value did not match, by what: result, checkpoint',
    unit: '{digest}',
  });
  return ({ job, what, position, recomputed }) => {
    damaged.add(1, { what });
    const effect = recomputed
      ? 'it is refused, and the job is computed again'
      : 'it is refused, and the job has failed: it is not known any more what it was';
    logger.error(`A stored digest does not match its check value: ${effect}`, { job, what, position });
  };
}
