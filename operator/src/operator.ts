import { Applier } from './apply/applier.ts';
import { Writer } from './apply/writer.ts';
import type { Term } from './control/election.ts';
import { EventRecorder } from './control/events.ts';
import { WorkQueue } from './control/queue.ts';
import type { Transport } from './control/transport.ts';
import { ApiWatch } from './observe/api-facts.ts';
import { type Caches, HTTP_ROUTE } from './observe/caches.ts';
import { ReadingsBook } from './observe/readings.ts';
import { Secrets } from './observe/secrets.ts';
import type { ApiFacts, OperatorDefaults } from './plan/observed.ts';
import type { Clock } from './runtime/clock.ts';
import type { Logger } from './runtime/log.ts';
import { Reconciler } from './reconcile.ts';
import { KafkaServers } from './servers/kafka.ts';
import { MongoServers } from './servers/mongodb.ts';
import type { Measures } from './measures.ts';

export interface OperatorOptions {
  readonly transport: Transport;
  readonly caches: Caches;
  readonly term: Term;
  readonly defaults: OperatorDefaults;
  /** The name of this process, in Events. */
  readonly instance: string;
  readonly logger: Logger;
  readonly measures: Measures;
  /** HashClusters that are reconciled at once. */
  readonly concurrency?: number;
  readonly mongo?: MongoServers;
  readonly kafka?: KafkaServers;
  /** The API server's when absent. */
  readonly clock?: Clock;
}

const CONCURRENCY = 10;
/** Children change in flocks; one round for all of them is enough. */
const GATHER_MS = 100;
const DRAIN_MS = 5_000;
const CONTROLLER = 'hashcluster.io/operator';

/** The part of the process that works, for one term: what is led to it by the caches, it reconciles. */
export class Operator {
  readonly name = 'operator';
  readonly #options: OperatorOptions;
  readonly #queue: WorkQueue;
  readonly #events: EventRecorder;
  readonly #api: ApiWatch;
  readonly #readings: ReadingsBook;

  constructor(options: OperatorOptions) {
    this.#options = options;
    const { transport, caches, logger, measures, defaults, term, clock = transport.time } = options;
    const { mongo = new MongoServers(), kafka = new KafkaServers() } = options;
    const secrets = new Secrets(transport, clock);
    this.#events = new EventRecorder({
      ...{ transport, controller: CONTROLLER, instance: options.instance, clock },
      onTrouble: (trouble) => logger.warn('An Event was not written', trouble),
    });
    this.#api = new ApiWatch(transport, (error) =>
      logger.warn('The API server does not say what it can', { error }),
    );
    this.#readings = new ReadingsBook({
      ...{ transport, namespaces: caches.namespaces, secrets, mongo, clock },
      clusterDomain: defaults.clusterDomain,
      onNews: (key) => this.#queue.addAfter(key, GATHER_MS),
    });
    const writer = new Writer({
      ...{ transport, check: term.check, signal: term.signal },
      onWrite: ({ method }) => measures.wrote(method),
    });
    const readSecret = secrets.value.bind(secrets);
    const reconciler = new Reconciler({
      ...{ caches, secrets, readings: this.#readings, defaults, clock },
      api: () => ({ facts: this.#facts(), storageClasses: this.#api.storageClasses }),
      applier: new Applier({ writer, events: this.#events, mongo, kafka, readSecret, logger }),
      readLive: writer.read.bind(writer),
      onAction: ({ kind }) => measures.acted(kind),
      onRefusal: (cluster, { ref, message }) =>
        logger.warn('An action was refused', { cluster, object: ref, reason: message }),
    });
    this.#queue = this.#newQueue(reconciler, options.concurrency ?? CONCURRENCY);
  }

  get queue(): WorkQueue {
    return this.#queue;
  }

  /** Something of a HashCluster has changed. */
  changed(key: string, own: boolean): void {
    if (own) this.#queue.add(key);
    else this.#queue.addAfter(key, GATHER_MS);
  }

  /** Waits for the caches, then works. Rejects when the API server does not answer, or when the term is over. */
  async start(): Promise<void> {
    const { caches, term } = this.#options;
    await this.#api.start();
    await caches.synced();
    term.signal.throwIfAborted();
    for (const { metadata } of caches.clusters()) this.#queue.add(`${metadata.namespace}/${metadata.name}`);
    this.#queue.start();
  }

  /** Lets work under way finish within a bound. Idempotent. */
  async stop(): Promise<void> {
    const { term } = this.#options;
    if (term.signal.aborted) await this.#queue.abort(term.signal.reason as Error);
    else if (!(await this.#queue.stop(DRAIN_MS))) this.#options.logger.warn('Work was cut off at the end');
    this.#readings.stop();
    await Promise.all([this.#api.stop(), this.#events.stop()]);
  }

  /** What the API server can do, as far as this process sees what comes of it. */
  #facts(): ApiFacts {
    const { facts } = this.#api;
    return { ...facts, httpRoute: facts.httpRoute && this.#options.caches.alsoWatch(HTTP_ROUTE) };
  }

  #newQueue(reconciler: Reconciler, concurrency: number): WorkQueue {
    const { logger, measures, transport, clock = transport.time } = this.#options;
    return new WorkQueue({
      ...{ concurrency, clock },
      handle: (cluster) => measures.timed(() => reconciler.reconcile(cluster)),
      onTurn: (_cluster, waitedMs) => measures.waited(waitedMs),
      onFailure: (cluster, error, waitMs) => {
        logger.warn('A HashCluster was not reconciled', { cluster, error, waitMs: Math.round(waitMs) });
        // A longer wait would leave the status as it is after it has stopped being true.
        const dueMs = reconciler.failingDueMs(cluster);
        if (dueMs !== null) this.#queue.addAfter(cluster, dueMs);
      },
    });
  }
}
