import type { Clock } from '../../ports/clock.ts';
import type { JobStore, StoreOptions } from '../../ports/job-store.ts';
import type { Logger } from '../../ports/logger.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { StoreThread } from './sqlite/store-thread.ts';
import { ThreadedStore } from './sqlite/threaded-store.ts';

export interface SqliteStoreOptions extends StoreOptions {
  /** The database file; made when it is not there, with its folder. Beside it SQLite keeps `<file>-wal`. */
  readonly file: string;
  readonly logger: Logger;
  /** The store's clock; the system's when absent. */
  readonly clock?: Clock;
}

export interface SqliteStore extends JobStore {
  /** Whether the file is open, be it only for reading; false: a new start is needed. */
  isOpen(): boolean;
}

/**
 * A store in one SQLite file, for one process. A thread of its own waits for the disk; what is asked while it waits
 * shares the next flush. Every answer is durable (WAL, `synchronous=FULL`).
 */
export function createSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const { clock, ...rest } = options;
  const settings = { ...rest, clock: clock ?? systemClock };
  return new ThreadedStore(new StoreThread(settings), options.retentionMs);
}
