import mongoose, { type mongo, type Connection, type ConnectOptions } from 'mongoose';
import type { Clock } from '../../../ports/clock.ts';
import { StoreUnavailableError } from '../../../ports/job-store.ts';
import type { Logger } from '../../../ports/logger.ts';
import type { Metrics } from '../../../ports/metrics.ts';
import { answersWithin, settlesWithin } from '../../../runtime/deadline.ts';
import type { JobDoc, ResultDoc, WorkerDoc } from './documents.ts';
import { checkIdentity, readDatabaseId } from './identity.ts';
import { ensureIndexes } from './indexes.ts';
import type { Quarantine, QuarantineDoc } from './quarantine.ts';
import { wrongInJob, wrongInResult, wrongInStats } from './unreadable.ts';
import type { StatsDoc } from './stats.ts';
import type { DatabaseTime } from './time.ts';
import { hasPrimary, topologyOf, topologyReason } from './topology.ts';

/** Bounds on what one call may take. Milliseconds. */
export interface LinkLimits {
  readonly maxPoolSize: number;
  /** Finding a primary, opening a connection, waiting for a free one, and for an answer. */
  readonly serverSelectionMs: number;
  readonly connectMs: number;
  readonly waitQueueMs: number;
  readonly socketMs: number;
  /** Waiting for a majority. Less than `socketMs`, so that the server's word comes first. */
  readonly writeConcernMs: number;
  /** A whole call of the port. More than `socketMs`, so that the driver's word comes first where it has one. */
  readonly callMs: number;
  /** Attempts of `start` go on for this long, one no longer; and `stop` waits this long for calls in hand. */
  readonly startMs: number;
  readonly stopMs: number;
}

export const LIMITS: LinkLimits = {
  maxPoolSize: 16,
  serverSelectionMs: 5_000,
  connectMs: 5_000,
  waitQueueMs: 5_000,
  socketMs: 12_000,
  writeConcernMs: 10_000,
  callMs: 20_000,
  startMs: 30_000,
  stopMs: 10_000,
};

/** Closing sends a last command, which nobody waits for longer than this. */
const CLOSE_MS = 2_000;

export interface LinkOptions {
  /** `mongodb://…` or `mongodb+srv://…`: a replica set, or a router. */
  readonly uri: string;
  readonly database: string;
  /** `settings.replicaSetId` of the set that is meant; absent or null: any. */
  readonly replicaSetId?: string | null;
  readonly appName: string;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly limits: LinkLimits;
  readonly reuseIterations: number;
  /** For documents that cannot be read, by collection. */
  readonly metrics: Pick<Metrics, 'counter'>;
  /** Told of the database's clock. */
  readonly time: Pick<DatabaseTime, 'learn'>;
  /** Told of each command that goes to the database. */
  readonly onCommand?: OnCommand;
}

export type OnCommand = (name: string, command: Readonly<Record<string, unknown>>) => void;

/** Every write: majority and journal. What is shown as done is read as the majority has it. */
export interface Collections {
  readonly jobs: mongo.Collection<JobDoc>;
  readonly results: mongo.Collection<ResultDoc>;
  readonly workers: mongo.Collection<WorkerDoc>;
  readonly stats: mongo.Collection<StatsDoc>;
  /** What cannot be read, out of the way. */
  readonly quarantine: mongo.Collection<QuarantineDoc>;
}

/** MongoDB 6.0. Source: mongo/src/mongo/db/wire_version.h */
const WIRE_VERSION_6_0 = 17;

/** One client of the driver with its pools: opened once, closed once. */
export class MongoConnection {
  readonly #options: LinkOptions;
  readonly #connection: Connection = mongoose.createConnection();
  #client: mongo.MongoClient | null = null;
  #isOpen = false;
  #primarylessSince: string | null = null;
  #databaseId: string | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Connects, looks at the server, makes indexes. Within `startMs`; what has not opened is closed again. */
  async open(): Promise<void> {
    const { logger, limits } = this.#options;
    // Faults of opening are thrown as well; an error nobody listens to would end the process.
    this.#connection.on('error', (error: unknown) => {
      if (this.#isOpen) logger.warn('the connection to MongoDB has a fault', { error });
    });
    const late = (): Error =>
      new StoreUnavailableError(`MongoDB could not be opened within ${limits.startMs} ms`);
    try {
      await answersWithin(this.#connect(), limits.startMs, late);
      this.#isOpen = true;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Documents that cannot be read do not come out of these; the link keeps the quarantine. */
  collections(quarantine: Quarantine): Collections {
    const raw = collectionsOf(this.#db(), this.#options.limits.writeConcernMs);
    return {
      ...raw,
      jobs: quarantine.guard(raw.jobs, raw.quarantine, wrongInJob),
      results: quarantine.guard(raw.results, raw.quarantine, wrongInResult),
      stats: quarantine.guard(raw.stats, raw.quarantine, wrongInStats),
    };
  }

  /** Why nothing can be written now, by what the driver knows of the servers at this moment; null where it can. */
  trouble(): string | null {
    const topology = this.#client && topologyOf(this.#client);
    if (!topology) return null;
    if (hasPrimary(topology)) return (this.#primarylessSince = null);
    this.#primarylessSince ??= this.#nowText();
    return this.#isOpen
      ? `MongoDB has no primary since ${this.#primarylessSince}: ${topologyReason(topology)}`
      : topologyReason(topology);
  }

  /** As `readDatabaseId` has it; null before it was read. */
  get databaseId(): string | null {
    return this.#databaseId;
  }

  /** Makes the indexes that are missing, within `callMs`. Whoever dropped them may have put another collection in the place of `jobs`. */
  async ensureIndexes(): Promise<void> {
    const late = (): Error => new StoreUnavailableError('the index is still being built');
    await answersWithin(this.#prepare(), this.#options.limits.callMs, late);
  }

  /** Within two seconds, whatever the servers do; commands under way end with an error, or not at all. */
  async close(): Promise<void> {
    this.#isOpen = false;
    if (!(await settlesWithin(this.#connection.close(true), CLOSE_MS)))
      this.#options.logger.warn('a connection to MongoDB did not close in time');
  }

  async #connect(): Promise<void> {
    const { uri, time, onCommand } = this.#options;
    const opening = this.#connection.openUri(uri, this.#connectOptions());
    const client = this.#connection.getClient() as mongo.MongoClient | undefined;
    if (client) this.#watch(client);
    await opening;
    this.#client!.on('commandStarted', ({ commandName, command }) => onCommand?.(commandName, command));
    const hello = await this.#client!.db('admin').command({ hello: 1 });
    checkServer(hello);
    await checkIdentity(this.#client!.db('admin'), this.#options.replicaSetId ?? null);
    if (hello['localTime'] instanceof Date) time.learn(String(hello['me'] ?? ''), hello['localTime']);
    await this.#prepare();
  }

  async #prepare(): Promise<void> {
    const { reuseIterations, logger } = this.#options;
    await ensureIndexes(this.#db(), reuseIterations, logger);
    this.#databaseId = await readDatabaseId(this.#db());
  }

  #db(): mongo.Db {
    return this.#client!.db(this.#options.database);
  }

  #connectOptions(): ConnectOptions {
    const { database, appName, limits, onCommand } = this.#options;
    return {
      dbName: database,
      appName,
      autoCreate: false,
      autoIndex: false,
      bufferCommands: false,
      maxPoolSize: limits.maxPoolSize,
      serverSelectionTimeoutMS: limits.serverSelectionMs,
      connectTimeoutMS: limits.connectMs,
      waitQueueTimeoutMS: limits.waitQueueMs,
      socketTimeoutMS: limits.socketMs,
      maxIdleTimeMS: 10 * 60_000,
      retryWrites: true,
      retryReads: true,
      promoteBuffers: true,
      monitorCommands: onCommand !== undefined,
    };
  }

  #watch(client: mongo.MongoClient): void {
    const { time, logger } = this.#options;
    this.#client = client;
    client.on('serverHeartbeatSucceeded', ({ connectionId, reply }) => {
      const isPrimary = reply['isWritablePrimary'] === true || reply['ismaster'] === true;
      const localTime: unknown = reply['localTime'];
      if (isPrimary && localTime instanceof Date) time.learn(connectionId, localTime);
    });
    client.on('topologyDescriptionChanged', ({ previousDescription, newDescription }) => {
      const had = hasPrimary(previousDescription);
      const has = hasPrimary(newDescription);
      if (had === has) return;
      this.#primarylessSince = has ? null : this.#nowText();
      if (!this.#isOpen) return;
      if (has) logger.info('MongoDB has a primary again');
      else logger.warn('MongoDB has no primary');
    });
  }

  #nowText(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

function checkServer(hello: mongo.Document): void {
  if (typeof hello['setName'] !== 'string' && hello['msg'] !== 'isdbgrid')
    throw new StoreUnavailableError('MongoDB has to be a replica set: a single server cannot repeat a write');
  if (Number(hello['maxWireVersion']) < WIRE_VERSION_6_0)
    throw new StoreUnavailableError('MongoDB has to be of version 6.0 or later');
}

/** Said for each collection, so that nothing in the address can weaken it. */
function collectionsOf(db: mongo.Db, wtimeoutMS: number): Collections {
  const sure = {
    writeConcern: { w: 'majority', journal: true, wtimeoutMS },
    readPreference: 'primary',
  } as const;
  const current = { ...sure, readConcern: { level: 'local' } } as const;
  return {
    jobs: db.collection<JobDoc>('jobs', current),
    results: db.collection<ResultDoc>('results', { ...sure, readConcern: { level: 'majority' } }),
    workers: db.collection<WorkerDoc>('workers', current),
    stats: db.collection<StatsDoc>('stats', current),
    quarantine: db.collection<QuarantineDoc>('quarantine', current),
  };
}
