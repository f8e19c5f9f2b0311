/** Times and sizes that both clients use; milliseconds and bytes. */

/** A member that is not heard for so long is dead, and its partitions go to the others: within 10 s with all that follows. */
export const SESSION_MS = 6_000;
/** The others are waited for as long when somebody comes or goes. They notice at their next heartbeat. */
export const REBALANCE_MS = 6_000;
export const HEARTBEAT_MS = 500;

/** A fetch waits so long on the broker for a message; and so long it takes until newly assigned partitions are asked for. */
export const FETCH_WAIT_MS = 500;
/** The most of one fetch, and of each partition in it: some ten thousand ids. */
export const FETCH_BYTES = 1 << 20;
export const PARTITION_BYTES = 256 << 10;

/** Until a broker has answered on a new connection. Each broker has this time for itself. */
export const CONNECT_MS = 3_000;
/** Longer than anything that a broker takes its time for: `REBALANCE_MS` and `FETCH_WAIT_MS`. */
export const REQUEST_MS = 10_000;
/** For an answer to one request, whatever the client does: longer than its own limit, so that its word comes first. */
export const ANSWER_MS = REQUEST_MS + 2_000;
/** Joining a group takes several requests, and the others are waited for. */
export const JOIN_MS = 15_000;
/** The broker itself gives up on replicas after this time. */
export const REPLICAS_MS = 3_000;
/** Without an answer for so long, the connection is taken for lost. As long as somebody who publishes waits. */
const PRODUCE_MS = 5_000;
/** The same for one that was idle, and may have been dropped meanwhile: then there is time for a second attempt. */
const PRODUCE_IDLE_MS = 3_500;
const IDLE_MS = 5_000;

/** How long to wait for an answer on a connection that was used last at `usedAt`, by `performance.now()`; milliseconds. */
export function produceMs(usedAt: number): number {
  return performance.now() - usedAt < IDLE_MS ? PRODUCE_MS : PRODUCE_IDLE_MS;
}

/** Closing connections in good order; then they are cut. */
export const DISCONNECT_MS = 1_000;
/** A member that leaves its group in good order, likewise. */
export const LEAVE_MS = 3_500;
/** What is known about brokers and leaders is asked for again after this time. */
export const METADATA_MS = 5_000;

/**
 * The most of each of so many partitions in one fetch: all of them have room in it, or the first would be emptied before
 * the others are begun. Twice of what is published at once, so that a whole batch always fits.
 */
export function bytesOfEach(partitions: number): number {
  return Math.min(PARTITION_BYTES, Math.ceil(FETCH_BYTES / Math.max(1, partitions)));
}
