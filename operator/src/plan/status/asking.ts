import { isReady, podsOf } from '../pods.ts';
import type { Observed } from '../observed.ts';

/**
 * Whether parts that run have not had the time to answer, because the operator has only just begun to ask. What it would
 * say meanwhile would be worse than what its predecessor has said, and wrong a second later. Who does not answer at all
 * is known soon: a failure is a reading, too.
 */
export function isStillAsking(observed: Observed): boolean {
  const { api, cluster, readings } = observed;
  const storeRuns = podsOf(observed, 'mongodb').some(({ status }) => status?.phase === 'Running');
  const answers = podsOf(observed, 'endpoint').some((pod) => isReady(pod) && pod.status?.podIP !== undefined);
  return (
    (cluster.spec.mongodb.managed !== undefined && readings.mongo === null && storeRuns) ||
    (answers && readings.endpoints.length === 0) ||
    (answers && api.podMetrics && readings.usage === null)
  );
}
