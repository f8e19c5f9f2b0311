import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/** Says that the guard is there already. */
const GUARDED = Symbol.for('hashcluster.kafkajs.guarded');

/**
 * After every answer kafkajs 2.2.4 sets a timer for requests that have to wait, also when none does: then with the time
 * since 1970 as a negative delay, of which Node.js 24 warns on stderr. Here the timer is left out when nothing waits and
 * nobody is throttled, which is when it has nothing to do. Source: https://github.com/tulios/kafkajs/issues/1751
 */
export function guardAgainstNegativeTimeouts(): void {
  const queue = RequestQueue.prototype as RequestQueue & { [GUARDED]?: true };
  if (queue[GUARDED]) return;
  queue[GUARDED] = true;
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}
