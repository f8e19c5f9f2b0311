import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { endpointSettings, readInlineIterations, type EndpointSettings } from '../endpoint/settings.ts';
import { DEFAULT_RETENTION_MS } from '../jobs/limits.ts';
import { BACKENDS } from '../ports/hasher.ts';
import type { StoreOptions } from '../ports/job-store.ts';
import { allowedHosts } from '../runtime/host-names.ts';
import { logSettings, type LogFormat, type LogLevel } from '../runtime/log-settings.ts';
import { readSettings, readTogether, type Env, type EnvReader } from '../runtime/settings.ts';
import { telemetrySettings } from '../runtime/telemetry-settings.ts';
import { workerSettings, type WorkerSettings } from '../worker/settings.ts';
import { kafkaSettings, mongoSettings, type KafkaSettings, type MongoSettings } from './server-settings.ts';
import type { ProcessSettings } from './process.ts';
import type { EmbeddedOptions } from './running.ts';

/** What hashes. */
export interface HashingSettings {
  /** The backend to force; null: the fastest. */
  readonly backend: string | null;
  /** Engines; null: one per core that this process may use. */
  readonly engines: number | null;
}

/** What a command line says; it is stronger than the environment. */
export interface RoleFlags {
  readonly host?: string;
  readonly port?: number;
  readonly adminHost?: string;
  readonly adminPort?: number;
  readonly engines?: number;
  readonly backend?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

/** Where settings come from. */
export interface Sources {
  readonly env: Env;
  readonly flags: RoleFlags;
  readonly version: string;
  /** How logs look unless something else is said. */
  readonly logFormat: LogFormat;
}

export interface EmbeddedSettings {
  readonly process: ProcessSettings;
  readonly served: EndpointSettings;
  readonly hashing: HashingSettings;
  readonly store: StoreOptions;
}

/** What roles need that are apart from each other: the servers between them. */
interface ClusterSettings {
  readonly process: ProcessSettings;
  readonly mongo: MongoSettings;
  readonly kafka: KafkaSettings;
  readonly store: StoreOptions;
}

export interface EndpointRole extends ClusterSettings {
  readonly served: EndpointSettings;
  /** What hashes short jobs; null: the fastest. */
  readonly backend: string | null;
}

export interface WorkerRole extends ClusterSettings {
  readonly worker: WorkerSettings;
  readonly hashing: HashingSettings;
}

const MINUTE_MS = 60_000;
const CENTURY_MS = 36_500 * 24 * 60 * MINUTE_MS;

/** Every address, IPv6 and IPv4: in a pod, that is what other pods and probes come to. */
export const ANY_HOST = '::';

function backendSetting(read: EnvReader, flags: RoleFlags): string | null {
  const backend = read.has('HASH_BACKEND')
    ? read.choice('HASH_BACKEND', { default: 'node', of: BACKENDS })
    : null;
  return flags.backend ?? backend;
}

function hashingSettings(read: EnvReader, flags: RoleFlags): HashingSettings {
  const engines = read.integer('HASH_ENGINES', { default: 0, min: 0, max: 1_024 });
  return {
    backend: backendSetting(read, flags),
    engines: flags.engines ?? (engines === 0 ? null : engines),
  };
}

function storeOptions(read: EnvReader): StoreOptions {
  return {
    retentionMs: read.durationMs('RESULT_RETENTION', {
      default: DEFAULT_RETENTION_MS,
      min: MINUTE_MS,
      max: CENTURY_MS,
    }),
    sharedCache: read.boolean('CACHE_SHARED', true),
    // Shorter chains are hashed again sooner than they are found.
    reuseIterations: Math.max(1, readInlineIterations(read)),
  };
}

function processSettings(
  read: EnvReader,
  { flags, env, version, logFormat }: Sources,
  instance: string,
): ProcessSettings {
  const log = logSettings(read, { level: 'info', format: logFormat });
  const adminPort = read.integer('ADMIN_PORT', { default: 9090, min: 0, max: 65_535 });
  return {
    ...{ service: 'hashcluster', version, instance },
    adminHost: flags.adminHost ?? read.text('ADMIN_HOST', { default: ANY_HOST }),
    adminPort: flags.adminPort ?? adminPort,
    allowedHosts: allowedHosts(read),
    log: { level: flags.logLevel ?? log.level, format: flags.logFormat ?? log.format },
    colour: !env['NO_COLOR'],
    telemetry: telemetrySettings(read),
  };
}

/** Everything in one process. Throws `SettingsError`, which names all that is wrong at once. */
export function embeddedSettings(options: EmbeddedOptions): EmbeddedSettings {
  const { env, host, port, version, logFormat, dataDir: _dir, ...flags } = options;
  const { backend, engines, ...rest } = flags;
  const wanted: RoleFlags = { ...rest, logFormat, ...(backend && { backend }), ...(engines && { engines }) };
  const sources = { env, flags: wanted, version, logFormat };
  return readTogether({
    process: () => readSettings(env, (read) => processSettings(read, sources, hostname())),
    served: () => endpointSettings(env, { mode: 'embedded', version, host, port }),
    hashing: () => readSettings(env, (read) => hashingSettings(read, wanted)),
    store: () => readSettings(env, storeOptions),
  });
}

/** An endpoint among others. Throws `SettingsError`, which names all that is wrong at once. */
export function endpointRole(sources: Sources): EndpointRole {
  const { env, flags, version } = sources;
  const pod = env['POD_NAME'];
  const own = {
    ...{ mode: 'cluster' as const, version },
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.port !== undefined && { port: flags.port }),
    ...(pod && !env['ENDPOINT_ID'] && { id: pod }),
  };
  return readTogether({
    ...clusterGroups(sources, pod || hostname()),
    served: () => endpointSettings(env, own),
    backend: () => readSettings(env, (read) => backendSetting(read, flags)),
  });
}

/** A worker among others. Throws `SettingsError`, which names all that is wrong at once. */
export function workerRole(sources: Sources): WorkerRole {
  const { env, flags } = sources;
  const host = env['POD_NAME'] || hostname();
  // A container that starts again in its pod is another worker: the leases of both must not be one.
  const id = `${host}-${randomBytes(5).toString('hex')}`;
  return readTogether({
    ...clusterGroups(sources, host),
    worker: () => readSettings(env, (read) => workerSettings(read, { id, host })),
    hashing: () => readSettings(env, (read) => hashingSettings(read, flags)),
  });
}

function clusterGroups(sources: Sources, instance: string) {
  const { env } = sources;
  return {
    process: () => readSettings(env, (read) => processSettings(read, sources, instance)),
    mongo: () => readSettings(env, mongoSettings),
    kafka: () => readSettings(env, (read) => kafkaSettings(read, `hashcluster-${instance}`)),
    store: () => readSettings(env, storeOptions),
  };
}
