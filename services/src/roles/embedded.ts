import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import { createSqliteStore } from '../adapters/embedded/sqlite-store.ts';
import { LEASE_MS } from '../jobs/limits.ts';
import { createEndpoint, type Endpoint } from '../endpoint/endpoint.ts';
import { damageReport } from '../runtime/damage-report.ts';
import { settlesWithin } from '../runtime/deadline.ts';
import { originOf } from '../runtime/origin.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { defaultWorkerSettings } from '../worker/settings.ts';
import { Worker } from '../worker/worker.ts';
import { withinFileLimit } from './file-limit.ts';
import { newHasher, newInlineHasher } from './new-hasher.ts';
import { startProcess, type Assembly, type Ground } from './process.ts';
import type { EmbeddedOptions, EmbeddedService } from './running.ts';
import { restartHelps } from './restart-helps.ts';
import { embeddedSettings, type EmbeddedSettings } from './settings.ts';
import { usageReader } from './usage.ts';

/** In one process an alive message costs nothing, and whoever watches a job wants to see it move. */
const ALIVE_MS = 500;

/** The worker may take this long to start before the endpoint does, in milliseconds. */
const WORKER_START_MS = 5_000;

/** A part that drains has this long, in milliseconds. */
const DRAIN_MS = 30_000;

/** The endpoint waits this long for the first heartbeat of the worker beside it, in milliseconds, and looks this often. */
const HEARTBEAT_MS = 5_000;
const LOOK_EVERY_MS = 20;

/**
 * Endpoint and worker in this process, on SQLite and a bus in memory. Resolves when it answers; rejects with
 * `SettingsError`, with what hinders it, or with the signal's reason when that aborts first.
 */
export async function startEmbedded(options: EmbeddedOptions, signal: AbortSignal): Promise<EmbeddedService> {
  const settings = embeddedSettings(options);
  let made: ReturnType<typeof assemble> | null = null;
  const { adminUrl, stop } = await startProcess(settings.process, signal, (ground) => {
    made = assemble(options.dataDir, settings, ground);
    return made;
  });
  const { endpoint, backend, engines } = made!;
  return { url: originOf(options.host, endpoint.address()!.port), adminUrl, stop, backend, engines };
}

/** So that whoever asks a service that has just started for its workers is told of the one it has. */
async function firstHeartbeat(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  const end = systemClock.monotonic() + HEARTBEAT_MS;
  while (endpoint.liveWorkers() === 0 && !signal.aborted && systemClock.monotonic() < end)
    await sleep(LOOK_EVERY_MS);
}

/** A worker that has no lease yet goes on trying beside the endpoint, which serves what can be read. */
async function startWorker(
  worker: Worker,
  fault: (error: Error) => void,
  signal: AbortSignal,
): Promise<void> {
  const started = worker.start();
  if (await settlesWithin(Promise.allSettled([started]), WORKER_START_MS)) return started;
  started.catch((error: unknown) => {
    if (!signal.aborted) fault(error instanceof Error ? error : new Error(String(error)));
  });
}

function assemble(dataDir: string, settings: EmbeddedSettings, { telemetry, fault, signal }: Ground) {
  const { logger, metrics, tracer } = telemetry;
  const clock = systemClock;
  const hasher = newHasher(settings.hashing, logger);
  const { backend, engines } = hasher.description;
  const store = createSqliteStore({
    ...{ file: join(dataDir, 'hashcluster.db'), logger, clock },
    ...settings.store,
    onDamaged: damageReport(logger, metrics),
  });
  const bus = createMemoryBus({ logger });
  const worker = new Worker({
    ...{ store, bus, hasher, clock, logger, metrics },
    settings: {
      ...defaultWorkerSettings(`${hostname()}-${randomBytes(5).toString('hex')}`, hostname()),
      aliveMs: ALIVE_MS,
      // With a full disk there is none, until there is space again.
      firstLeaseMs: Infinity,
    },
    usage: usageReader(clock, engines, dataDir),
    onFault: fault,
  });
  const inline = newInlineHasher(backend);
  const endpoint = createEndpoint({
    ...{ store, bus, busServers: null, inline, clock, logger, metrics, tracer },
    settings: withinFileLimit(settings.served, logger),
  });
  return {
    ...{ endpoint, backend, engines },
    parts: [
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      { name: 'bus', start: () => bus.start(), stop: () => bus.stop() },
      {
        name: 'worker',
        start: () => startWorker(worker, fault, signal),
        stop: () => worker.stop(),
        stopMs: DRAIN_MS,
      },
      { name: 'endpoint', start: () => endpoint.start(), stop: () => endpoint.stop(), stopMs: DRAIN_MS },
      { name: 'heartbeat', start: () => firstHeartbeat(endpoint, signal), stop: () => undefined },
    ],
    live: { worker: restartHelps({ store, worker, clock, graceMs: LEASE_MS }) },
    ready: {
      endpoint: () => endpoint.trouble(),
      store: () => store.trouble(),
      worker: () => worker.trouble(),
    },
    health: { bus: () => bus.trouble(), clock: () => store.clockTrouble() },
    info: () => ({ hashing: { ...hasher.description, ...hasher.load() } }),
  } satisfies Assembly & { endpoint: Endpoint; backend: string; engines: number };
}
