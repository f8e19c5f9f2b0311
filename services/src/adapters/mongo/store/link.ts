import mongoose, { type mongo, type Connection, type ConnectOptions } from 'mongoose';
import type { Clock } from '../../../ports/clock.ts';
import { StoreUnavailableError } from '../../../ports/job-store.ts';
import type { Logger } from '../../../ports/logger.ts';
import { settlesWithin } from '../../../runtime/deadline.ts';
import { retry } from '../../../runtime/retry.ts';
import type { JobDoc, ResultDoc, WorkerDoc } from './documents.ts';
import { asPortError, isAway, isHopeless } from './faults.ts';
import { ensureIndexes } from './indexes.ts';
import type { StatsDoc } from './stats.ts';
import type { DatabaseTime } from './time.ts';

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
  /** Attempts of `start` go on for this long, and `stop` waits this long for calls in hand. */
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
  startMs: 30_000,
  stopMs: 10_000,
};

export interface LinkOptions {
  /** `mongodb://…` or `mongodb+srv://…`: a replica set, or a router. */
  readonly uri: string;
  readonly database: string;
  readonly appName: string;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly limits: LinkLimits;
  readonly reuseIterations: number;
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
}

interface Open {
  readonly connection: Connection;
  readonly collections: Collections;
}

/** MongoDB 6.0. Source: mongo/src/mongo/db/wire_version.h */
const WIRE_VERSION_6_0 = 17;

/** The connection: opened with patience, watched, closed in order. */
export class Link {
  readonly #options: LinkOptions;
  readonly #inHand = new Set<Promise<unknown>>();
  #open: Open | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #halt = new AbortController();
  /** Why it cannot be used; null while it can. */
  #down: string | null = 'the store is not started';
  #primaryless: string | null = null;
  #failing: string | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  trouble(): string | null {
    return this.#down ?? this.#primaryless ?? this.#failing;
  }

  /** Rejects with `StoreUnavailableError` when MongoDB cannot be had; can be called again then, or after a stop. */
  start(): Promise<void> {
    if (this.#stopping) return this.#stopping.then(() => this.start());
    this.#starting ??= this.#begin().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    });
    return this.#starting;
  }

  /** Waits for calls in hand, then closes. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#end().finally(() => (this.#stopping = null));
    return this.#stopping;
  }

  /** One call of the port. Faults of the way to MongoDB become `StoreUnavailableError`. */
  async run<T>(call: (collections: Collections) => Promise<T>): Promise<T> {
    if (!this.#open || this.#down !== null)
      throw new StoreUnavailableError(this.#down ?? 'the store is not started');
    const work = call(this.#open.collections);
    this.#inHand.add(work);
    try {
      const answer = await work;
      this.#failing = null;
      return answer;
    } catch (error) {
      const told = asPortError(error);
      if (told instanceof StoreUnavailableError) this.#failing = told.message;
      throw told;
    } finally {
      this.#inHand.delete(work);
    }
  }

  async #begin(): Promise<void> {
    const { limits, logger, database } = this.#options;
    this.#halt = new AbortController();
    try {
      this.#open = await retry(() => this.#connect(), {
        budgetMs: limits.startMs,
        baseMs: 250,
        capMs: 2_000,
        signal: this.#halt.signal,
        retryable: (error) => isAway(error) && !isHopeless(error),
        onRetry: (error, attempt) =>
          logger.warn('MongoDB cannot be reached yet', { database, attempt, error }),
      });
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      const { hosts } = this.#place();
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreUnavailableError(`MongoDB at ${hosts} cannot be used: ${reason}`, { cause: error });
    }
    this.#down = null;
    this.#failing = null;
    logger.info('MongoDB is connected', { database, ...this.#place() });
  }

  /** Where it is, without the password. */
  #place(): { hosts: string } {
    const match = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)/.exec(this.#options.uri);
    return { hosts: match?.[1] ?? 'an address that is none' };
  }

  async #connect(): Promise<Open> {
    const { uri, database, time, reuseIterations, logger, limits, onCommand } = this.#options;
    const connection = mongoose.createConnection();
    // Faults of opening are thrown as well; an error nobody listens to would end the process.
    connection.on('error', (error: unknown) => {
      if (this.#down === null) logger.warn('the connection to MongoDB has a fault', { error });
    });
    try {
      await connection.openUri(uri, this.#connectOptions());
      const client = connection.getClient();
      client.on('commandStarted', ({ commandName, command }) => onCommand?.(commandName, command));
      const hello = await client.db('admin').command({ hello: 1 });
      checkServer(hello);
      if (hello['localTime'] instanceof Date) time.learn(String(hello['me'] ?? ''), hello['localTime']);
      this.#watch(client);
      const db = client.db(database);
      await ensureIndexes(db, reuseIterations, logger);
      return { connection, collections: collectionsOf(db, limits.writeConcernMs) };
    } catch (error) {
      await connection.close(true);
      throw error;
    }
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
    const { time, clock, logger } = this.#options;
    client.on('serverHeartbeatSucceeded', ({ connectionId, reply }) => {
      const isPrimary = reply['isWritablePrimary'] === true || reply['ismaster'] === true;
      const localTime: unknown = reply['localTime'];
      if (isPrimary && localTime instanceof Date) time.learn(connectionId, localTime);
    });
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      const writable = [...newDescription.servers.values()].some((server) => server.isWritable);
      if (writable === (this.#primaryless === null)) return;
      const since = new Date(clock.now()).toISOString();
      this.#primaryless = writable ? null : `MongoDB has no primary since ${since}`;
      if (this.#down !== null) return;
      if (writable) logger.info('MongoDB has a primary again');
      else logger.warn('MongoDB has no primary');
    });
  }

  async #end(): Promise<void> {
    this.#halt.abort(new StoreUnavailableError('the store is stopping'));
    await this.#starting?.catch(() => undefined);
    this.#down = 'the store is stopped';
    const { stopMs } = this.#options.limits;
    if (!(await settlesWithin(Promise.allSettled(this.#inHand), stopMs))) {
      this.#options.logger.warn('calls to MongoDB did not end in time', { calls: this.#inHand.size });
    }
    const open = this.#open;
    this.#open = null;
    this.#starting = null;
    await open?.connection.close(true);
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
  };
}
