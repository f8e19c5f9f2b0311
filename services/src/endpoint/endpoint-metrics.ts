import type { Counter, Histogram, Metrics } from '../ports/metrics.ts';

/** What an endpoint counts. */
export interface EndpointMetrics {
  readonly duration: Histogram;
  readonly submitted: Counter;
  readonly storeFailures: Counter;
  readonly lostMessages: Counter;
  readonly swept: Counter;
  readonly shed: Counter;
}

/** Seconds. */
const BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The instruments, each made once. */
export function endpointMetrics(metrics: Metrics): EndpointMetrics {
  return {
    duration: metrics.histogram('hashcluster.http.request.duration', {
      description: 'Time from the headers of a request to the end of its answer, by route, method and status',
      unit: 's',
      boundaries: BOUNDARIES,
    }),
    submitted: metrics.counter('hashcluster.endpoint.submissions', {
      description: 'Submissions, by answer: created, joined, known, computed (hashed here), contradiction',
      unit: '{job}',
    }),
    storeFailures: metrics.counter('hashcluster.endpoint.store.failures', {
      description: 'Calls of the store that failed because it was away, by call',
      unit: '{call}',
    }),
    lostMessages: metrics.counter('hashcluster.endpoint.messages.lost', {
      description: 'Messages that could not be published, by topic; the sweeper makes up for them',
      unit: '{message}',
    }),
    swept: metrics.counter('hashcluster.endpoint.swept', {
      description: 'Jobs and results the sweeper acted upon: requeued, failed, forgotten, expired',
      unit: '{job}',
    }),
    shed: metrics.counter('hashcluster.endpoint.shed', {
      description: 'Clients turned away, by reason',
      unit: '{client}',
    }),
  };
}
