import { StoreUnavailableError } from '../../../ports/job-store.ts';
import { answersWithin, settlesWithin } from '../../../runtime/deadline.ts';
import { isFirstOrTenth, retry } from '../../../runtime/retry.ts';
import { MongoConnection, type Collections, type LinkOptions } from './connection.ts';
import { Quarantine } from './quarantine.ts';
import { asPortError, isAway, isHopeless, isMissingIndex, reasonOf } from './faults.ts';

export { LIMITS } from './connection.ts';
export type { Collections, LinkLimits, LinkOptions, OnCommand } from './connection.ts';

const ATTEMPTS = { baseMs: 250, capMs: 2_000 };

interface Open {
  readonly connection: MongoConnection;
  readonly collections: Collections;
  /** Calls that have no answer yet and are within their deadlines. */
  readonly inHand: Set<Promise<unknown>>;
}

/**
 * The way to the database: opened with patience, watched, replaced when a call gets no answer, closed in order. Every
 * call goes through `run`, which has a deadline of its own: the driver may wait without one for a socket that takes no
 * more bytes, and its own time-outs do not end that wait.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #quarantine: Quarantine;
  #open: Open | null = null;
  #attempt: MongoConnection | null = null;
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #halt = new AbortController();
  /** Why the last attempt to open it failed; null when the last one succeeded. */
  #openFault: string | null = null;
  #stopped = false;
  /** What the last call said, when it failed. */
  #failing: string | null = null;
  /** Work on the connection beside calls: a new one, indexes. */
  #replacing: Promise<void> | null = null;
  #indexing: Promise<void> | null = null;
  readonly #retiring = new Set<Promise<void>>();

  constructor(options: LinkOptions) {
    this.#options = options;
    const { logger, metrics, clock } = options;
    const unreadable = metrics.counter('hashcluster.store.documents.unreadable', {
      description: 'Documents that cannot be read and were moved to quarantine, by collection',
      unit: '{document}',
    });
    this.#quarantine = new Quarantine({ logger, unreadable, now: () => clock.now() });
  }

  trouble(): string | null {
    if (this.#stopped) return 'the store is stopped';
    if (!this.#open) return this.#notOpen();
    if (this.#indexing) return 'an index of MongoDB is missing, and is being built';
    return this.#open.connection.trouble() ?? this.#failing;
  }

  /** The id of the database, as it was when its client was opened; null before, and where nobody may read it. */
  databaseId(): string | null {
    return this.#open?.connection.databaseId ?? null;
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

  /**
   * One call of the port. Faults of the way to MongoDB become `StoreUnavailableError`, and so does a call that has no
   * answer after `callMs`: whether it was done is unknown, and the connections are replaced.
   */
  async run<T>(call: (collections: Collections) => Promise<T>): Promise<T> {
    const open = this.#open;
    if (!open || this.#stopped) throw new StoreUnavailableError(this.trouble() ?? 'the store is not started');
    const { callMs } = this.#options.limits;
    const work = answersWithin(call(open.collections), callMs, () => {
      this.#replace(open);
      return new StoreUnavailableError(`MongoDB has not answered within ${callMs} ms`);
    });
    open.inHand.add(work);
    try {
      const answer = await work;
      this.#failing = null;
      return answer;
    } catch (error) {
      throw this.#failed(open, error);
    } finally {
      open.inHand.delete(work);
    }
  }

  #failed(open: Open, error: unknown): unknown {
    if (isMissingIndex(error)) this.#makeIndexes(open);
    const portError = asPortError(error);
    if (portError instanceof StoreUnavailableError) this.#failing = portError.message;
    return portError;
  }

  /** Before it is open for the first time: what hinders it. */
  #notOpen(): string {
    const reason = this.#openFault ?? this.#attempt?.trouble();
    if (reason) return `MongoDB at ${this.#hosts()} cannot be used: ${reason}`;
    return this.#attempt ? `MongoDB at ${this.#hosts()} has not answered yet` : 'the store is not started';
  }

  async #begin(): Promise<void> {
    const { limits, logger, database } = this.#options;
    this.#halt = new AbortController();
    this.#stopped = false;
    try {
      this.#open = await retry(() => this.#connect(), {
        ...{ ...ATTEMPTS, budgetMs: limits.startMs, signal: this.#halt.signal },
        retryable: (error) => isAway(error) && !isHopeless(error),
        onRetry: (error, attempt) => {
          if (isFirstOrTenth(attempt))
            logger.warn('MongoDB cannot be reached yet', { database, attempt, error: asPortError(error) });
        },
      });
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      const message = `MongoDB at ${this.#hosts()} cannot be used: ${reasonOf(error)}`;
      throw new StoreUnavailableError(message, { cause: causeOf(error) });
    }
    this.#failing = null;
    logger.info('MongoDB is connected', { database, hosts: this.#hosts() });
  }

  /** Where it is, without the password. */
  #hosts(): string {
    const match = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]*)/.exec(this.#options.uri);
    return match?.[1] ?? 'an address that is none';
  }

  /** One attempt. */
  async #connect(): Promise<Open> {
    const connection = new MongoConnection(this.#options);
    this.#attempt = connection;
    try {
      await connection.open();
      this.#openFault = null;
      return { connection, collections: connection.collections(this.#quarantine), inHand: new Set() };
    } catch (error) {
      this.#openFault = reasonOf(error);
      throw error;
    } finally {
      this.#attempt = null;
    }
  }

  /** A new client takes the place of one that does not answer, as soon as it is open; until then, calls go the old way. */
  #replace(old: Open): void {
    if (this.#replacing || old !== this.#open || this.#stopped) return;
    const { logger, limits } = this.#options;
    logger.warn('MongoDB does not answer: its connections are replaced', { afterMs: limits.callMs });
    this.#replacing = this.#reconnect(old).finally(() => (this.#replacing = null));
  }

  async #reconnect(old: Open): Promise<void> {
    const { logger } = this.#options;
    const { signal } = this.#halt;
    try {
      const open = await retry(() => this.#connect(), {
        ...{ ...ATTEMPTS, budgetMs: Infinity, signal },
        onRetry: (error, attempt) => {
          if (isFirstOrTenth(attempt))
            logger.warn('MongoDB cannot be connected anew yet', { attempt, error: asPortError(error) });
        },
      });
      this.#retire(old);
      this.#open = open;
      logger.info('The connections to MongoDB are replaced');
    } catch (error) {
      // Only a stop ends the attempts.
      if (!signal.aborted) logger.error('MongoDB is not connected anew', { error: asPortError(error) });
    }
  }

  /** Calls that have begun on it have their own deadlines: it is closed when the last has ended. */
  #retire({ connection, inHand }: Open): void {
    const retiring = Promise.allSettled(inHand)
      .then(() => connection.close())
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  /** Somebody dropped an index: no call that names it can succeed until it is there again. */
  #makeIndexes({ connection }: Open): void {
    if (this.#indexing || this.#stopped) return;
    const { logger } = this.#options;
    const { signal } = this.#halt;
    logger.warn('An index of MongoDB is missing: it is built again');
    this.#indexing = retry(() => connection.ensureIndexes(), {
      ...{ ...ATTEMPTS, budgetMs: Infinity, signal },
      retryable: () => this.#open?.connection === connection,
      onRetry: (error, attempt) => {
        if (isFirstOrTenth(attempt))
          logger.warn('The index cannot be built yet', { attempt, error: asPortError(error) });
      },
    })
      .then(() => {
        this.#failing = null;
        logger.info('The indexes of MongoDB are there again');
      })
      .catch((error: unknown) => {
        // A stop, or another connection: the next call that misses the index begins anew.
        if (!signal.aborted) logger.warn('The index was not built', { error: asPortError(error) });
      })
      .finally(() => (this.#indexing = null));
  }

  async #end(): Promise<void> {
    this.#halt.abort(new StoreUnavailableError('the store is stopping'));
    this.#stopped = true;
    // An attempt that waits for servers ends with its connection.
    await this.#attempt?.close();
    await this.#starting?.catch(() => undefined);
    await this.#replacing;
    const { stopMs } = this.#options.limits;
    const inHand = this.#open?.inHand ?? new Set();
    if (!(await settlesWithin(Promise.allSettled([...inHand, ...this.#retiring, this.#indexing]), stopMs)))
      this.#options.logger.warn('calls to MongoDB did not end in time', { calls: inHand.size });
    const open = this.#open;
    this.#open = null;
    this.#starting = null;
    await open?.connection.close();
  }
}

/** A refusal quotes the whole command, session and all; its reason says what matters. */
function causeOf(error: unknown): unknown {
  const port = asPortError(error);
  return port instanceof StoreUnavailableError ? port.cause : error;
}
