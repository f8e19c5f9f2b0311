import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import { MAX_BATCH_ITEMS } from '../jobs/limits.ts';
import type { Bus } from '../ports/bus.ts';
import type { BusServers } from '../ports/bus-servers.ts';
import type { Clock } from '../ports/clock.ts';
import type { InlineHasher } from '../ports/hasher.ts';
import type { JobStore } from '../ports/job-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Tracer } from '../ports/tracer.ts';
import { BodySlices } from './body/body-slices.ts';
import { HeldBytes, heldLimit } from './body/held-bytes.ts';
import { ItemReader } from './body/read-items.ts';
import { createGate, type Gate } from './gate.ts';
import { endpointMetrics, type EndpointMetrics } from './endpoint-metrics.ts';
import { createSchemas, type Schemas } from './schemas.ts';
import type { EndpointSettings } from './settings.ts';
import { ShedLog } from './shed-log.ts';
import { Announcements } from './work/announcements.ts';
import { BusView } from './work/bus-view.ts';
import { BacklogReader, type EndpointIdentity } from './work/cluster-view.ts';
import { InlineHashing } from './work/inline-hashing.ts';
import { Lane } from './work/lane.ts';
import { Lookups } from './work/lookups.ts';
import { StoreCalls } from './work/store-calls.ts';
import { Submitter } from './work/submitter.ts';
import { Sweeper } from './work/sweeper.ts';
import { Waiters } from './work/waiters.ts';
import { Watchers } from './work/watchers.ts';
import { WorkersTable } from './work/workers-table.ts';

/** What an endpoint is made of. Store and bus are started and stopped by whoever owns them. */
export interface EndpointDeps {
  readonly store: JobStore;
  readonly bus: Bus;
  /** Null: the bus has no servers. */
  readonly busServers: BusServers | null;
  readonly inline: InlineHasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly settings: EndpointSettings;
}

/** The parts behind the routes. Nothing of it is durable. */
export interface Core {
  readonly deps: EndpointDeps;
  readonly identity: EndpointIdentity;
  readonly schemas: Schemas;
  readonly metrics: EndpointMetrics;
  readonly shed: ShedLog;
  readonly gate: Gate;
  readonly held: HeldBytes;
  /** Lists that are read and made. */
  readonly lists: Lane;
  readonly items: ItemReader;
  readonly slices: BodySlices;
  readonly store: StoreCalls;
  readonly announcements: Announcements;
  readonly submitter: Submitter;
  readonly lookups: Lookups;
  readonly watchers: Watchers;
  readonly waiters: Waiters;
  readonly workers: WorkersTable;
  readonly backlog: BacklogReader;
  readonly busView: BusView;
  readonly sweeper: Sweeper;
}

/** A list takes long in the store and on the event loop: a few at a time, so that everything else gets its turn. */
const LISTS = { maxRunning: 4, maxWaiting: 1_000 };

/** Puts the parts together. Starts nothing. */
export function createCore(deps: EndpointDeps): Core {
  const { clock, logger, settings } = deps;
  const metrics = endpointMetrics(deps.metrics);
  const schemas = createSchemas({ maxIterations: settings.maxIterations, maxBatchItems: MAX_BATCH_ITEMS });
  const held = new HeldBytes(heldLimit(settings.maxHeldBytes, getHeapStatistics().heap_size_limit));
  const store = new StoreCalls({
    ...{ store: deps.store, clock, logger },
    failures: metrics.storeFailures,
    retryMs: settings.storeRetryMs,
  });
  const announcements = new Announcements({ bus: deps.bus, logger, lost: metrics.lostMessages });
  const inline = new InlineHashing({ hasher: deps.inline, clock, maxIterations: settings.inlineIterations });
  const lookups = new Lookups(store);
  const watchers = new Watchers({ lookups, logger, max: settings.maxWaiters, recheckMs: settings.recheckMs });
  const workers = new WorkersTable({ clock, deadAfterMs: settings.workerDeadAfterMs });
  const slices = new BodySlices(clock);
  const shed = new ShedLog(clock, logger, metrics.shed);
  return {
    shed,
    gate: createGate(settings, shed, clock),
    lists: new Lane(LISTS),
    ...{ deps, schemas, metrics, held, store, announcements, lookups, watchers, workers },
    identity: {
      id: settings.id ?? `${hostname()}-${randomBytes(4).toString('hex')}`,
      startedAt: clock.now(),
      startedAtMonotonic: clock.monotonic(),
    },
    slices,
    items: new ItemReader({ slices, held, schemas, maxItems: MAX_BATCH_ITEMS, ...limitsOf(settings) }),
    submitter: new Submitter({
      ...{ store, inline, announcements, logger },
      submitted: metrics.submitted,
      maxPending: settings.maxPendingSubmissions,
    }),
    waiters: new Waiters(watchers, lookups),
    backlog: new BacklogReader(store, clock),
    busView: new BusView({ servers: deps.busServers, clock, logger }),
    sweeper: new Sweeper({
      ...{ store, announcements, workers, clock, logger },
      swept: metrics.swept,
      intervalMs: settings.sweepIntervalMs,
      forgottenAfterMs: settings.forgottenAfterMs,
    }),
  };
}

function limitsOf({ maxIterations, maxDocumentBytes, maxLineBytes }: EndpointSettings) {
  return { maxIterations, maxDocumentBytes, maxLineBytes };
}
