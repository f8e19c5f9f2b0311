import { Schema } from 'mongoose';

/**
 * The collections and their indexes (DESIGN §3), declared with mongoose. Commands go to the collections themselves: what
 * they write is made by `documents.ts`, and casting it again would cost more than the database does.
 */

const STRICT = { autoCreate: false, autoIndex: false, versionKey: false, strict: 'throw' } as const;

const digest = { type: Schema.Types.Buffer, required: true };
const facts = {
  _id: { type: String, required: true },
  tenant: { type: String, required: true },
  chain: digest,
  iterations: { type: Number, required: true },
};

/** The queued in order, and a worker's jobs, by one index. With what is left of each, it answers `backlog` by itself. */
export const QUEUE_INDEX = { owner: 1, class: 1, queuedAt: 1, iterations: 1, position: 1 } as const;

/** A tenant's results, the newest first; those of one outcome together, so that a rare one is found as fast. */
export const LIST_INDEX = { tenant: 1, outcome: 1, finishedAt: -1, _id: 1 } as const;

/** Known chains. Random keys are dear to keep: it holds only what is worth looking up, see `reuseIndex`. */
export const CHAIN_INDEX = { chain: 1, iterations: 1 } as const;

/**
 * Sweeps delete results, and only while clocks agree. A server would delete by the clock of whatever machine is the primary;
 * so its own deletion waits for as long as it can be told to: 68 years.
 */
export const SERVER_EXPIRY_SECONDS = 2_147_483_647;

export function jobSchema(): Schema {
  return new Schema(
    {
      ...facts,
      position: { type: Number, required: true },
      digest: Schema.Types.Buffer,
      checksum: Number,
      checksumAt: Number,
      class: { type: Number, required: true },
      owner: { type: String, required: true },
      attempts: { type: Number, required: true },
      createdAt: { type: Date, required: true },
      queuedAt: { type: Date, required: true },
      claim: Number,
      mark: Number,
      endedAt: Date,
      worker: String,
    },
    { ...STRICT, collection: 'jobs' },
  ).index(QUEUE_INDEX);
}

export function resultSchema(): Schema {
  return new Schema(
    {
      ...facts,
      outcome: { type: String, required: true, enum: ['done', 'cancelled', 'failed'] },
      digest: Schema.Types.Buffer,
      checksum: Number,
      reason: String,
      computed: { type: Number, required: true },
      worker: String,
      createdAt: { type: Date, required: true },
      startedAt: Date,
      finishedAt: { type: Date, required: true },
      expiresAt: { type: Date, required: true },
      position: Number,
      pointDigest: Schema.Types.Buffer,
      mark: Number,
    },
    { ...STRICT, collection: 'results' },
  )
    .index(LIST_INDEX)
    .index({ expiresAt: 1 }, { expireAfterSeconds: SERVER_EXPIRY_SECONDS });
}

/** A lease that ended an hour ago says no more than none. */
export function workerSchema(): Schema {
  return new Schema(
    { _id: { type: String, required: true }, leaseUntil: { type: Date, required: true } },
    { ...STRICT, collection: 'workers' },
  ).index({ leaseUntil: 1 }, { expireAfterSeconds: 3_600 });
}

/** What was counted, for when there is too much to count each time; `_id` says what. */
export function statsSchema(): Schema {
  return new Schema(
    {
      _id: { type: String, required: true },
      queued: [Schema.Types.Mixed],
      running: Number,
      countedAt: Date,
      /** What the count took, in milliseconds, and when the next may begin. */
      tookMs: Number,
      nextAt: Date,
    },
    { ...STRICT, collection: 'stats' },
  );
}
