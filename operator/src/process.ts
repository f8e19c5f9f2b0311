import { type ApiAccess, PodAccess } from './control/access.ts';
import { Election, type Term } from './control/election.ts';
import { Transport, type TransportOptions } from './control/transport.ts';
import { Measures } from './measures.ts';
import { Caches } from './observe/caches.ts';
import { Operator } from './operator.ts';
import { AdminServer } from './runtime/admin-server.ts';
import { Lifecycle, type Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/log.ts';
import { startTelemetry } from './runtime/telemetry.ts';
import type { OperatorSettings } from './settings.ts';

export interface ProcessOptions {
  readonly settings: OperatorSettings;
  readonly version: string;
  readonly logger: Logger;
  /** How the API server is reached. Default: as kubectl would, or as a pod does. */
  readonly config?: ApiAccess;
  /** This process cannot go on. Called once at most. */
  readonly onFault: (error: Error) => void;
}

/** A running operator: caches that are kept warm, and work while it leads. */
export interface RunningOperator {
  readonly adminPort: () => number;
  readonly leads: () => boolean;
  /** Ends the term, hands the lease back and closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** Bookmarks come every minute: a watch that has told nothing for so long is broken, in milliseconds. */
const SILENT_MS = 300_000;
const HEARD_MS = 90_000;
/** An attempt to renew the Lease is two requests at most, every two seconds. */
const LEASE_PER_SECOND = 10;

/** Starts everything. Rejects when something cannot be had, such as the port; then nothing is left running. */
export async function startOperator(options: ProcessOptions): Promise<RunningOperator> {
  const { settings, logger, version } = options;
  const telemetry = startTelemetry(logger, version);
  const measures = new Measures(telemetry.metrics);
  const access: Pick<TransportOptions, 'config' | 'userAgent' | 'onAttempt'> = {
    config: options.config ?? (await accessOf(settings)),
    userAgent: `hashcluster-operator/${version}`,
    onAttempt: (attempt) => measures.requested(attempt),
  };
  const { perSecond } = settings;
  const transport = new Transport({ ...access, perSecond, burst: perSecond * 2 });
  // Renewing the Lease never waits for requests of the work that it is for.
  const leaseTransport = new Transport({ ...access, perSecond: LEASE_PER_SECOND, burst: LEASE_PER_SECOND });
  const office = new Office(options, { transport, leaseTransport }, measures);
  const { caches } = office;
  const admin = new AdminServer({
    ...{ host: settings.adminHost, port: settings.adminPort, logger, scrape: telemetry.scrape },
    live: { watches: () => silence(caches) },
    ready: { caches: () => notSynced(caches) },
    info: () => ({ version, leader: office.leader, leads: office.leads }),
  });
  let port = settings.adminPort;
  const lifecycle = new Lifecycle(logger);
  await lifecycle.start([
    { name: 'telemetry', start: () => undefined, stop: () => telemetry.stop() },
    { name: 'admin', start: async () => (port = (await admin.start()).port), stop: () => admin.stop() },
    { name: 'transport', start: () => undefined, stop: () => transport.stop() },
    { name: 'lease transport', start: () => undefined, stop: () => leaseTransport.stop() },
    { name: 'caches', start: () => caches.start(), stop: () => caches.stop() },
    office,
  ]);
  return {
    adminPort: () => port,
    leads: () => office.leads,
    stop: async () => void (await lifecycle.stop()),
  };
}

/** A pod's own access, or that of a kubeconfig: for the second client-node is loaded. */
async function accessOf({ inCluster }: OperatorSettings): Promise<ApiAccess> {
  if (inCluster) return new PodAccess(inCluster);
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

/** A watch that is silent while others are told something is a fault of ours. */
function silence(caches: Caches): string | null {
  const { facts } = caches;
  const isAnswering = facts.some(({ silentMs }) => silentMs < HEARD_MS);
  const silent = facts.filter(({ hasSynced, silentMs }) => hasSynced && silentMs > SILENT_MS);
  if (!isAnswering || silent.length === 0) return null;
  return `the watch has told nothing for long: ${silent.map(({ name }) => name).join(', ')}`;
}

function notSynced(caches: Caches): string | null {
  const missing = caches.facts.filter(({ hasSynced, isOptional }) => !hasSynced && !isOptional);
  return missing.length === 0 ? null : `not listed yet: ${missing.map(({ name }) => name).join(', ')}`;
}

/** Ways to the API server. */
interface Transports {
  readonly transport: Transport;
  /** With connections and a rate of its own. */
  readonly leaseTransport: Transport;
}

/** Stands for election, and works while it is elected. */
class Office implements Part {
  readonly name = 'office';
  readonly caches: Caches;
  readonly #options: ProcessOptions;
  readonly #transport: Transport;
  readonly #measures: Measures;
  readonly #election: Election;
  #operator: Operator | null = null;

  constructor(options: ProcessOptions, { transport, leaseTransport }: Transports, measures: Measures) {
    const { settings, logger } = options;
    this.#options = options;
    this.#transport = transport;
    this.#measures = measures;
    this.caches = new Caches({
      ...{ transport, namespaces: settings.namespaces },
      onChange: (key, own) => this.#operator?.changed(key, own),
      onTrouble: (cache, phase, error) => {
        measures.troubled(cache, phase);
        // Watches end all the time; a handler that fails is a fault of ours.
        if (phase === 'handler') logger.error('A change was not handled', { cache, error });
        else logger.info('A watch begins again', { cache, phase, error: String(error) });
      },
      onMissed: (cache, changes) => {
        measures.missed(cache, changes);
        logger.warn('A watch had missed changes', { cache, changes });
      },
    });
    measures.watch({ caches: () => this.caches.facts, queue: () => this.#operator?.queue ?? null });
    this.#election = new Election({
      ...{ namespace: settings.namespace, name: settings.lease, identity: settings.identity },
      transport: leaseTransport,
      clock: leaseTransport.time,
      onElected: (term) => this.#begin(term),
      onLost: (error) => options.onFault(error),
      onTrouble: (error) => logger.warn('The Lease could not be read or written', { error }),
    });
  }

  get leader(): string | null {
    return this.#election.leader;
  }

  get leads(): boolean {
    return this.#election.leads;
  }

  start(): void {
    this.#election.start();
  }

  /** Work ends first, then the lease is handed back: there are never two who work. */
  async stop(): Promise<void> {
    const operator = this.#operator;
    this.#operator = null;
    await operator?.stop();
    await this.#election.stop();
  }

  #begin(term: Term): void {
    const { settings, logger, onFault } = this.#options;
    logger.info('This process leads', { identity: settings.identity });
    const operator = new Operator({
      ...{ transport: this.#transport, caches: this.caches, term, logger, measures: this.#measures },
      ...{ defaults: settings.defaults, instance: settings.identity, concurrency: settings.concurrency },
    });
    this.#operator = operator;
    operator.start().catch((error: unknown) => {
      if (!term.signal.aborted) onFault(error instanceof Error ? error : new Error(String(error)));
    });
  }
}
