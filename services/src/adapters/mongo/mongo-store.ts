import type { Clock } from '../../ports/clock.ts';
import type { JobStore, StoreOptions } from '../../ports/job-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { noopMetrics } from '../../runtime/noop-telemetry.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { LIMITS, Link, type LinkLimits, type OnCommand } from './store/link.ts';
import { MongoJobs } from './store/mongo-jobs.ts';
import { DatabaseTime } from './store/time.ts';

export type { LinkLimits, OnCommand } from './store/link.ts';

export interface MongoStoreOptions extends StoreOptions {
  /** `mongodb://…` or `mongodb+srv://…`: a replica set or a router, MongoDB 6.0 or later. */
  readonly uri: string;
  readonly database: string;
  /** `settings.replicaSetId` of the set that is meant, hexadecimal; absent or null: any. */
  readonly replicaSetId?: string | null;
  readonly logger: Logger;
  /** For what cannot be read; none when absent. */
  readonly metrics?: Pick<Metrics, 'counter'>;
  /** This process's clock, which is corrected by the database's; the system's when absent. */
  readonly clock?: Clock;
  /** What the server's logs call this client. */
  readonly appName?: string;
  /** Bounds of pools and waits, where they shall differ from the usual. */
  readonly limits?: Partial<LinkLimits>;
  /** Told of each command that goes to the database, to count them. */
  readonly onCommand?: OnCommand;
}

/**
 * A store in MongoDB, for any number of processes. Every answer is durable: a majority has it in its journal. Starting
 * makes collections and indexes where they are missing. Faults of the network and the servers reject with
 * `StoreUnavailableError`; whatever was asked can be asked again.
 */
export function createMongoStore(options: MongoStoreOptions): JobStore {
  const { clock = systemClock, metrics = noopMetrics, appName = 'hashcluster', limits, ...rest } = options;
  const time = new DatabaseTime(clock);
  const link = new Link({ ...rest, clock, metrics, appName, time, limits: { ...LIMITS, ...limits } });
  return new MongoJobs(link, time, rest);
}
