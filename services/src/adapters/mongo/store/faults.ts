import { Error as MongooseError, mongo } from 'mongoose';
import { StoreUnavailableError } from '../../../ports/job-store.ts';
import { topologyReason } from './topology.ts';

/**
 * Answers of a server that cannot do it now, or does not know whether it was done.
 * Source: mongo/src/mongo/base/error_codes.yml of MongoDB 6.0, categories RetriableError, NetworkError, Interruption,
 * NotPrimaryError, ShutdownError, ExceededTimeLimitError, WriteConcernError.
 */
const AWAY = new Set([
  6, 7, 24, 46, 50, 64, 79, 89, 91, 100, 112, 133, 134, 189, 202, 234, 262, 290, 317, 358, 384, 402, 9001,
  10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436, 14031, 17280,
]);

/** Answers that no repetition changes: who may do what, and what the server is. */
const REFUSED = new Set([13, 18, 20, 8000]);

/** Faults of the driver itself: no server found, no connection free, a connection broken. */
const FAULTS = [
  mongo.MongoNetworkError,
  mongo.MongoSystemError,
  mongo.MongoWriteConcernError,
  mongo.MongoNotConnectedError,
  mongo.MongoTopologyClosedError,
  mongo.MongoServerClosedError,
  mongo.MongoClientClosedError,
  mongo.MongoStalePrimaryError,
  mongo.MongoUnexpectedServerResponseError,
  mongo.MongoExpiredSessionError,
];

/** Of the connection pool, which the driver does not export. */
const POOL_FAULTS = new Set(['MongoWaitQueueTimeoutError', 'MongoPoolClearedError', 'MongoPoolClosedError']);

const LABELS = ['RetryableWriteError', 'RetryableReadError', 'TransientTransactionError', 'ResetPool'];

export function isAway(error: unknown): boolean {
  if (error instanceof MongooseError.MongooseServerSelectionError) return true;
  if (!(error instanceof mongo.MongoError)) return false;
  // Whatever breaks a bulk write off, the driver wraps.
  if (error instanceof mongo.MongoBulkWriteError && error.errorResponse instanceof mongo.MongoError)
    return isAway(error.errorResponse);
  if (FAULTS.some((fault) => error instanceof fault) || POOL_FAULTS.has(error.name)) return true;
  if (LABELS.some((label) => error.hasErrorLabel(label))) return true;
  if (error instanceof mongo.MongoBulkWriteError && error.result.getWriteConcernError()) return true;
  return typeof error.code === 'number' && (AWAY.has(error.code) || REFUSED.has(error.code));
}

/** Whether another attempt can help: the right password does not come by waiting. */
export function isHopeless(error: unknown): boolean {
  return (
    error instanceof mongo.MongoParseError ||
    error instanceof mongo.MongoInvalidArgumentError ||
    error instanceof mongo.MongoMissingDependencyError ||
    (error instanceof mongo.MongoError && typeof error.code === 'number' && REFUSED.has(error.code))
  );
}

/** Whether a command named an index that is not there. Source: query_planner.cpp of MongoDB 6.0 … 8.0. */
export function isMissingIndex(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && /hint provided does not correspond/.test(error.message);
}

/** Who may do what: the answer quotes the command with its session, which says nothing to whoever reads it. */
const UNAUTHORIZED = 13;
const REFUSED_COMMAND = /not authorized on (\S+) to execute command \{ (\w+):/;

const LONGEST_REASON = 300;

/** What went wrong, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason } = error as { readonly reason?: Partial<mongo.TopologyDescription> };
  if (reason?.servers instanceof Map) return topologyReason(reason as mongo.TopologyDescription);
  const refused = isUnauthorized(error) ? REFUSED_COMMAND.exec(error.message) : null;
  if (refused)
    return `the user may not ${refused[2]!} in the database '${refused[1]!}': the role readWrite is needed`;
  return error.message.split('\n', 1)[0]!.slice(0, LONGEST_REASON);
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof mongo.MongoError && error.code === UNAUTHORIZED;
}

/** The port's word for it where the store is away; the error itself where the fault is ours. */
export function asPortError(error: unknown): unknown {
  if (error instanceof StoreUnavailableError) return error;
  if (isMissingIndex(error))
    return new StoreUnavailableError('an index of MongoDB is missing, and is being built', { cause: error });
  if (!isAway(error)) return error;
  const message = `MongoDB is away: ${reasonOf(error)}`;
  return new StoreUnavailableError(message, isUnauthorized(error) ? {} : { cause: error });
}
