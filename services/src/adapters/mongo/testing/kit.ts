import { randomBytes } from 'node:crypto';
import mongoose, { type mongo } from 'mongoose';
import { DEFAULT_RETENTION_MS } from '../../../jobs/limits.ts';
import type { StoreUnderTest } from '../../../ports/job-store-conformance.ts';
import type { DamagedFact, JobStore, StoreOptions } from '../../../ports/job-store.ts';
import type { Metrics } from '../../../ports/metrics.ts';
import { noopMetrics } from '../../../runtime/noop-telemetry.ts';
import { RecordingLogger } from '../../../runtime/testing/recording-logger.ts';
import { systemClock } from '../../../runtime/system-clock.ts';
import { LIMITS, Link, type LinkLimits, type OnCommand } from '../store/link.ts';
import { MongoJobs } from '../store/mongo-jobs.ts';
import { tamper } from './tamper.ts';
import { DatabaseTime, type StoreTime } from '../store/time.ts';

export const OPTIONS: StoreOptions = {
  retentionMs: DEFAULT_RETENTION_MS,
  sharedCache: true,
  reuseIterations: 1_000,
};

/** A database name that nobody else has. */
export function newDatabase(): string {
  return `hashcluster-test-${randomBytes(6).toString('hex')}`;
}

/** A clock for all commands that stands still until it is told to go on. */
export class FrozenTime implements StoreTime {
  #now = Date.now();

  now(): number {
    return this.#now;
  }

  expiryNow(): number {
    return this.#now;
  }

  trouble(): null {
    return null;
  }

  ms(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  /** In the place of the database's own clock; the commands are the same. */
  get expression(): Date {
    return new Date(this.#now);
  }
}

export interface TestOptions extends Partial<StoreOptions> {
  readonly uri: string;
  readonly database: string;
  /** The database's own clock when absent. */
  readonly time?: StoreTime;
  readonly clock?: { now(): number; monotonic(): number };
  readonly limits?: Partial<LinkLimits>;
  readonly onCommand?: OnCommand;
  readonly metrics?: Pick<Metrics, 'counter'>;
}

/** A store, and what a test may want to reach behind it. */
export interface TestStore {
  readonly store: MongoJobs;
  readonly link: Link;
  readonly logger: RecordingLogger;
  readonly time: StoreTime;
}

/** Not started. */
export function testStore({
  uri,
  database,
  time,
  clock = systemClock,
  limits,
  onCommand,
  metrics = noopMetrics,
  ...given
}: TestOptions): TestStore {
  const logger = new RecordingLogger();
  const options = { ...OPTIONS, ...given, logger };
  const databaseTime = new DatabaseTime(clock);
  const link = new Link({
    ...{ uri, database, logger, clock, appName: 'hashcluster-test', time: databaseTime },
    limits: { ...LIMITS, ...limits },
    reuseIterations: options.reuseIterations,
    metrics,
    ...(onCommand ? { onCommand } : {}),
  });
  const used = time ?? databaseTime;
  return { store: new MongoJobs(link, used, options), link, logger, time: used };
}

/** Does something with the database itself. */
export async function withDatabase<T>(
  { uri, database }: { readonly uri: string; readonly database: string },
  action: (db: mongo.Db) => Promise<T>,
): Promise<T> {
  const connection = await mongoose.createConnection(uri, { writeConcern: { w: 'majority' } }).asPromise();
  try {
    return await action(connection.getClient().db(database));
  } finally {
    await connection.close(true);
  }
}

export async function dropDatabase(place: {
  readonly uri: string;
  readonly database: string;
}): Promise<void> {
  await withDatabase(place, (db) => db.dropDatabase());
}

/** A started store over a database of its own, with a clock that the test moves. */
export async function openFrozen(uri: string, options: StoreOptions): Promise<StoreUnderTest> {
  const place = { uri, database: newDatabase() };
  const now = new FrozenTime();
  const damaged: DamagedFact[] = [];
  const open = async (): Promise<TestStore> => {
    const onDamaged = (fact: DamagedFact): void => void damaged.push(fact);
    const opened = testStore({ ...options, ...place, time: now, onDamaged });
    await opened.store.start();
    return opened;
  };
  let opened = await open();
  const others: TestStore[] = [];
  return {
    store: opened.store,
    now,
    damaged,
    tamper: (id, how) => withDatabase(place, (db) => tamper(db, id, how)),
    async another() {
      const other = await open();
      others.push(other);
      return other.store;
    },
    /** Every process ends (stopping writes nothing), their leases run out, and somebody new looks after what they left. */
    async reopen() {
      await opened.store.stop();
      opened = await open();
      await withDatabase(place, (db) => db.collection('workers').deleteMany({}));
      await sweepAll(opened.store);
      return opened.store;
    },
    async close() {
      for (const { store } of [opened, ...others]) await store.stop();
      await dropDatabase(place);
    },
  };
}

async function sweepAll(store: JobStore): Promise<void> {
  for (;;) {
    const { requeued, failed } = await store.sweep({ forgottenAfterMs: 1e12, limit: 1_000 });
    if (requeued.length + failed.length < 1_000) return;
  }
}
