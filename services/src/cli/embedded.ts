import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createMemoryBus } from '../adapters/embedded/memory-bus.ts';
import { createSqliteStore, type SqliteStore } from '../adapters/embedded/sqlite-store.ts';
import { createEndpoint, type Endpoint } from '../endpoint/endpoint.ts';
import { endpointSettings, type EndpointSettings } from '../endpoint/settings.ts';
import { createInlineHasher } from '../hashing/inline.ts';
import { openKernel } from '../hashing/select.ts';
import type { Bus } from '../ports/bus.ts';
import type { Hasher } from '../ports/hasher.ts';
import { AdminServer } from '../runtime/admin-server.ts';
import { logSettings } from '../runtime/log-settings.ts';
import { Lifecycle } from '../runtime/lifecycle.ts';
import { readSettings } from '../runtime/settings.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { telemetrySettings } from '../runtime/telemetry-settings.ts';
import { startTelemetry, type Telemetry } from '../runtime/telemetry.ts';
import { defaultWorkerSettings } from '../worker/settings.ts';
import { Worker } from '../worker/worker.ts';
import { embeddedSettings, type EmbeddedSettings } from './embedded-settings.ts';
import { newHasher } from './new-hasher.ts';
import { EXIT } from './exit-codes.ts';
import type { EmbeddedOptions, EmbeddedService } from './service.ts';
import { usageReader } from './usage.ts';
import { readVersion } from './version.ts';

/** In one process an alive message costs nothing, and whoever watches a job wants to see it move. */
const ALIVE_MS = 500;

/** What the parts are made from. */
interface Plan {
  readonly options: EmbeddedOptions;
  readonly settings: EmbeddedSettings;
  readonly served: EndpointSettings;
  readonly telemetry: Telemetry;
  readonly lifecycle: Lifecycle;
}

/** What one process is made of. */
interface Parts {
  readonly telemetry: Telemetry;
  readonly hasher: Hasher;
  readonly store: SqliteStore;
  readonly bus: Bus;
  readonly worker: Worker;
  readonly endpoint: Endpoint;
}

/**
 * Endpoint and worker in this process, on SQLite and a bus in memory. Resolves when it answers; rejects with
 * `SettingsError`, or with what hinders it.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedService> {
  const { env, host, port } = options;
  const settings = readSettings(env, embeddedSettings);
  const version = readVersion();
  const served = endpointSettings(env, { mode: 'embedded', version, host, port });
  const telemetry = await telemetryOf(options, version);
  const lifecycle = new Lifecycle(telemetry.logger);
  try {
    const parts = assemble({ options, settings, served, telemetry, lifecycle });
    const admin = adminServer(options, parts);
    const { store, bus, worker, endpoint } = parts;
    let adminPort = options.adminPort;
    await lifecycle.start([
      { name: 'telemetry', start: () => {}, stop: () => telemetry.stop() },
      { name: 'store', start: () => store.start(), stop: () => store.stop() },
      { name: 'bus', start: () => bus.start(), stop: () => bus.stop() },
      { name: 'worker', start: () => worker.start(), stop: () => worker.stop(), stopMs: 30_000 },
      { name: 'endpoint', start: () => endpoint.start(), stop: () => endpoint.stop(), stopMs: 30_000 },
      {
        name: 'admin',
        start: async () => (adminPort = (await admin.start()).port),
        stop: () => admin.stop(),
      },
    ]);
    const { port: boundPort } = endpoint.address()!;
    return {
      url: urlOf(host, boundPort),
      adminUrl: urlOf(options.adminHost, adminPort),
      stop: async () => void (await lifecycle.stop()),
    };
  } catch (error) {
    await lifecycle.stop();
    await telemetry.stop();
    throw error;
  }
}

function assemble({ options, settings, served, telemetry, lifecycle }: Plan): Parts {
  const { logger, metrics, tracer } = telemetry;
  const clock = systemClock;
  const hasher = newHasher(options.backend ?? settings.backend, options.engines ?? settings.engines);
  const { backend, reason, engines, lanes, cpu } = hasher.description;
  logger.info('Hashing', { backend, reason, engines, lanes, cpu });
  const store = createSqliteStore({
    ...{ file: join(options.dataDir, 'hashcluster.db'), logger, clock },
    ...{ retentionMs: settings.retentionMs, sharedCache: settings.sharedCache },
    reuseIterations: Math.max(1, served.inlineIterations),
  });
  const bus = createMemoryBus({ logger });
  const worker = new Worker({
    ...{ store, bus, hasher, clock, logger, metrics },
    settings: {
      ...defaultWorkerSettings(`${hostname()}-${randomBytes(5).toString('hex')}`, hostname()),
      aliveMs: ALIVE_MS,
    },
    usage: usageReader(clock, engines, options.dataDir),
    onFault: (error) => {
      // What is acknowledged is on disk; a process without engines helps nobody.
      logger.error('Hashing has broken down; the process ends', { error });
      void lifecycle.stop().finally(() => process.exit(EXIT.internal));
    },
  });
  const inline = createInlineHasher(openKernel(backend));
  const endpoint = createEndpoint({ store, bus, inline, clock, logger, metrics, tracer, settings: served });
  return { telemetry, hasher, store, bus, worker, endpoint };
}

async function telemetryOf(options: EmbeddedOptions, version: string): Promise<Telemetry> {
  const { env, logFormat, logLevel } = options;
  const log = readSettings({ LOG_LEVEL: logLevel, LOG_FORMAT: logFormat }, (read) =>
    logSettings(read, { level: 'info', format: 'json' }),
  );
  return startTelemetry({
    ...{ service: 'hashcluster', version, instance: hostname() },
    settings: readSettings(env, telemetrySettings),
    log: { ...log, stream: 'stderr', colour: logFormat === 'pretty' && !env['NO_COLOR'] },
  });
}

function adminServer(options: EmbeddedOptions, parts: Parts): AdminServer {
  const { telemetry, hasher, store, bus, worker, endpoint } = parts;
  return new AdminServer({
    ...{ host: options.adminHost, port: options.adminPort, logger: telemetry.logger },
    live: { worker: () => worker.trouble() },
    ready: { endpoint: () => endpoint.trouble(), store: () => store.trouble() },
    health: { bus: () => bus.trouble() },
    info: () => ({ hashing: { ...hasher.description, ...hasher.load() } }),
    metrics: telemetry.prometheusHandler,
  });
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
