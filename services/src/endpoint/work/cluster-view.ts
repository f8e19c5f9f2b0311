import { MAX_BATCH_ITEMS } from '../../jobs/limits.ts';
import type { BusReport } from '../../ports/bus-servers.ts';
import type { Backlog } from '../../ports/job-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterBody, WorkerBody } from '../schemas.ts';
import type { EndpointSettings } from '../settings.ts';
import { iso } from './job-body.ts';
import type { StoreCalls } from './store-calls.ts';
import type { WorkerRow, WorkersTable, WorkerTotals } from './workers-table.ts';

/** The store is asked for its backlog this often at most, however many ask. */
const BACKLOG_VALID_MS = 1_000;

/** The backlog, as of a moment ago. */
export class BacklogReader {
  readonly #store: StoreCalls;
  readonly #clock: Clock;
  #asked: Promise<Backlog> | null = null;
  #askedAt = 0;
  #last: Backlog | null = null;

  constructor(store: StoreCalls, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What was read last; null before the first. */
  get last(): Backlog | null {
    return this.#last;
  }

  /** Throws `unavailable`. */
  read(): Promise<Backlog> {
    const now = this.#clock.monotonic();
    if (this.#asked && now - this.#askedAt < BACKLOG_VALID_MS) return this.#asked;
    this.#askedAt = now;
    const asked = this.#fetch();
    this.#asked = asked;
    asked.catch(() => {
      if (this.#asked === asked) this.#asked = null;
    });
    return asked;
  }

  async #fetch(): Promise<Backlog> {
    this.#last = await this.#store.call('backlog', (store) => store.backlog());
    return this.#last;
  }
}

/** Seconds of work for the workers there are: queued and held. Null when there is work, but nobody to do it. */
export function backlogSeconds(backlog: Backlog, totals: WorkerTotals): number | null {
  const iterations = backlog.queued.reduce((sum, queue) => sum + queue.iterations, 0) + totals.held;
  if (iterations === 0 && backlog.running === 0) return 0;
  return totals.capacity > 0 ? Math.round((iterations / totals.capacity) * 10) / 10 : null;
}

/** Who this endpoint is. */
export interface EndpointIdentity {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The same by the monotonic clock. */
  readonly startedAtMonotonic: number;
}

export interface ClusterViewOptions {
  readonly settings: EndpointSettings;
  readonly identity: EndpointIdentity;
  readonly workers: WorkersTable;
  readonly bus: BusReport | null;
  /** The monotonic clock. */
  readonly monotonic: number;
  /** The store's clock, which the ages of jobs are by. */
  readonly storeNow: number;
}

/** `GET /v1/cluster`, as a value. */
export function clusterBody(
  backlog: Backlog,
  { settings, identity, workers, bus, monotonic, storeNow }: ClusterViewOptions,
): ClusterBody {
  const totals = workers.totals();
  return {
    version: settings.version,
    mode: settings.mode,
    endpoint: {
      id: identity.id,
      startedAt: iso(identity.startedAt),
      uptimeSeconds: Math.floor((monotonic - identity.startedAtMonotonic) / 1000),
    },
    workers: { live: totals.live, draining: totals.draining },
    engines: totals.engines,
    lanes: totals.lanes,
    freeLanes: totals.freeLanes,
    rate: Math.round(totals.rate),
    capacity: Math.round(totals.capacity),
    backlog: {
      running: backlog.running,
      queued: backlog.queued.map(({ class: costClass, jobs, iterations, oldestQueuedAt }) => ({
        class: costClass,
        jobs,
        iterations,
        oldestSeconds:
          oldestQueuedAt === null ? null : Math.max(0, Math.round((storeNow - oldestQueuedAt) / 1000)),
      })),
      seconds: backlogSeconds(backlog, totals),
    },
    bus: bus && { brokers: [...bus.brokers], disks: [...bus.disks] },
    limits: {
      maxIterations: settings.maxIterations,
      maxBodyBytes: settings.maxBodyBytes,
      maxBatchItems: MAX_BATCH_ITEMS,
      inlineIterations: settings.inlineIterations,
    },
  };
}

/** One item of `GET /v1/workers`, as a value. */
export function workerBody({ alive, state, lastSeen, silentMs }: WorkerRow): WorkerBody {
  const {
    worker,
    host,
    node,
    backend,
    engines,
    lanes,
    freeLanes,
    capacity,
    jobs,
    backlogSeconds: seconds,
  } = alive;
  const isGone = state === 'dead' || state === 'left';
  return {
    id: worker,
    ...{ host, node, state, backend, engines, lanes, freeLanes },
    rate: isGone ? 0 : Math.round(alive.rate),
    capacity: Math.round(capacity),
    jobs,
    backlogSeconds: seconds,
    cpu: alive.cpu,
    disk: alive.disk,
    startedAt: iso(alive.startedAt),
    lastSeen: iso(lastSeen),
    silentSeconds: Math.round(silentMs) / 1_000,
  };
}
