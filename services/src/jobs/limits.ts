/** The largest number of iterations a job can ask for: 2^53−1, the last integer a double holds exactly. */
export const MAX_ITERATIONS = Number.MAX_SAFE_INTEGER;

/** Jobs of at most this many iterations cost more to dispatch than to hash: the endpoint hashes them itself. */
export const DEFAULT_INLINE_ITERATIONS = 2_000;

/** A job is given up when this many workers died holding it without progress. */
export const MAX_ATTEMPTS = 20;

/** Items in one batch submission. */
export const MAX_BATCH_ITEMS = 10_000;

/** A result is kept this long after its last use: 30 days, in milliseconds. */
export const DEFAULT_RETENTION_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * A reuse within this time of the last one, or a tenth of the retention where that is less, does not move `expiresAt`: 1 day,
 * in milliseconds. Saves a write per cache hit.
 */
export const RETENTION_GRAIN_MS = 24 * 60 * 60 * 1000;

/** How long a worker's lease lasts, in milliseconds, and how often it is renewed. */
export const LEASE_MS = 10_000;
export const LEASE_RENEW_MS = 3_000;
