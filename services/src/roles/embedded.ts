import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import { createSqliteStore } from '../adapters/embedded/sqlite-store.ts';
import { createEndpoint, type Endpoint } from '../endpoint/endpoint.ts';
import { damageReport } from '../runtime/damage-report.ts';
import { originOf } from '../runtime/origin.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { defaultWorkerSettings } from '../worker/settings.ts';
import { Worker } from '../worker/worker.ts';
import { withinFileLimit } from './file-limit.ts';
import { newHasher, newInlineHasher } from './new-hasher.ts';
import { startProcess, type Assembly, type Ground } from './process.ts';
import type { EmbeddedOptions, EmbeddedService } from './running.ts';
import { embeddedSettings, type EmbeddedSettings } from './settings.ts';
import { usageReader } from './usage.ts';

/** In one process an alive message costs nothing, and whoever watches a job wants to see it move. */
const ALIVE_MS = 500;

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
      { name: 'worker', start: () => worker.start(), stop: () => worker.stop(), stopMs: DRAIN_MS },
      { name: 'endpoint', start: () => endpoint.start(), stop: () => endpoint.stop(), stopMs: DRAIN_MS },
      { name: 'heartbeat', start: () => firstHeartbeat(endpoint, signal), stop: () => undefined },
    ],
    live: { worker: () => worker.trouble() },
    ready: { endpoint: () => endpoint.trouble(), store: () => store.trouble() },
    health: { bus: () => bus.trouble() },
    info: () => ({ hashing: { ...hasher.description, ...hasher.load() } }),
  } satisfies Assembly & { endpoint: Endpoint; backend: string; engines: number };
}
