import { DEFAULT_INLINE_ITERATIONS, MAX_ITERATIONS } from '../jobs/limits.ts';
import { EnvReader, SettingsError, type Env } from '../runtime/settings.ts';
import { allowedHosts } from '../runtime/host-names.ts';
import { faultyRange } from './allow-list.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** How an endpoint behaves. Read once, when it is made. Times are milliseconds, sizes bytes, unless the name says otherwise. */
export interface EndpointSettings {
  /** Everything in one process, or one of many pods. Only said, never decided upon. */
  readonly mode: 'embedded' | 'cluster';
  /** The version that is told to clients. */
  readonly version: string;
  /** The name of this endpoint among others; null: host name and a random part. */
  readonly id: string | null;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** How many proxies stand in front; the client's address is taken from what they forward. 0: nobody is believed. */
  readonly trustProxyHops: number;
  /** Ranges of addresses that may use the service, such as `10.0.0.0/8`. Empty: all. */
  readonly allowedClients: readonly string[];
  /** Names in `Host` headers that are answered, besides those of this machine. Empty: all, but on loopback. */
  readonly allowedHosts: readonly string[];

  readonly maxIterations: number;
  /** Jobs with at most this many iterations left are hashed here. 0: only those that need none. */
  readonly inlineIterations: number;
  /** The largest body that is streamed through SHA-512 (inclusive). */
  readonly maxBodyBytes: number;
  /** The largest JSON or NDJSON document (inclusive). */
  readonly maxDocumentBytes: number;
  /** The largest item of a batch: a line of NDJSON, an element of a JSON array. */
  readonly maxLineBytes: number;
  /** All that requests hold in memory at once, before new ones are refused. */
  readonly maxHeldBytes: number;
  /** Submissions that may wait for the store, before new ones are refused. */
  readonly maxPendingSubmissions: number;

  /** The longest that `Prefer: wait` is granted, in seconds. */
  readonly waitSecondsMax: number;
  readonly maxWaiters: number;
  readonly maxSseStreams: number;
  readonly sseHeartbeatMs: number;
  /** How often jobs that somebody waits for are looked up, should a message have been lost. */
  readonly recheckMs: number;

  readonly rateWindowMs: number;
  /** Requests per window: of one address, and of all. Large ones count as several. */
  readonly rateLimitPerAddress: number;
  readonly rateLimitTotal: number;

  readonly maxConnections: number;
  readonly headersTimeoutMs: number;
  /** A body must bring at least this many bytes per second, averaged over `bodyRateWindowMs`. 0: any. */
  readonly minBodyBytesPerSecond: number;
  readonly bodyRateWindowMs: number;
  /** A client must take at least this many bytes per second of its answer, averaged over `answerRateWindowMs`. 0: any. */
  readonly minAnswerBytesPerSecond: number;
  readonly answerRateWindowMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A connection on which nothing at all moves is closed after this time. Longer than the longest wait. */
  readonly idleTimeoutMs: number;

  /** How long a call is repeated while the store is away. */
  readonly storeRetryMs: number;
  readonly sweepIntervalMs: number;
  /** Jobs queued for longer than this are published again. */
  readonly forgottenAfterMs: number;
  /** A worker that has been silent for this long is dead. */
  readonly workerDeadAfterMs: number;
  /** How long requests under way may take to finish when the endpoint stops. */
  readonly drainMs: number;
}

type NumberKey = {
  [K in keyof EndpointSettings]: EndpointSettings[K] extends number ? K : never;
}[keyof EndpointSettings];

/** The variable, what holds without it, and its bounds (both included). Durations are written with their unit. */
interface NumberRule {
  readonly env: string;
  readonly kind: 'integer' | 'durationMs';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

function count(env: string, standard: number, min = 1, max: number = MAX_ITERATIONS): NumberRule {
  return { env, kind: 'integer', default: standard, min, max };
}

function time(env: string, standard: number, min = 1): NumberRule {
  return { env, kind: 'durationMs', default: standard, min, max: DAY_MS };
}

const NUMBERS: Readonly<Record<NumberKey, NumberRule>> = {
  port: count('LISTEN_PORT', 5000, 0, 65_535),
  trustProxyHops: count('TRUST_PROXY_HOPS', 0, 0, 16),
  maxIterations: count('MAX_ITERATIONS', MAX_ITERATIONS),
  inlineIterations: count('INLINE_ITERATIONS', DEFAULT_INLINE_ITERATIONS, 0, 1_000_000),
  maxBodyBytes: count('MAX_BODY_BYTES', GIB),
  maxDocumentBytes: count('MAX_DOCUMENT_BYTES', 64 * MIB, 1, 256 * MIB),
  maxLineBytes: count('MAX_LINE_BYTES', MIB, 1, 256 * MIB),
  maxHeldBytes: count('MAX_HELD_BYTES', 512 * MIB),
  maxPendingSubmissions: count('MAX_PENDING_SUBMISSIONS', 100_000, 10_000),
  waitSecondsMax: count('WAIT_SECONDS_MAX', 60, 0, 3_600),
  maxWaiters: count('MAX_WAITERS', 50_000, 0),
  maxSseStreams: count('MAX_SSE_STREAMS', 1_000, 0),
  sseHeartbeatMs: time('SSE_HEARTBEAT', 15_000),
  recheckMs: time('RECHECK', 2_000),
  rateWindowMs: time('RATE_WINDOW', 10_000),
  rateLimitPerAddress: count('RATE_LIMIT_PER_ADDRESS', 20_000),
  rateLimitTotal: count('RATE_LIMIT_TOTAL', 100_000),
  maxConnections: count('MAX_CONNECTIONS', 10_000),
  headersTimeoutMs: time('HEADERS_TIMEOUT', 10_000),
  minBodyBytesPerSecond: count('MIN_BODY_BYTES_PER_SECOND', 1_024, 0),
  bodyRateWindowMs: time('BODY_RATE_WINDOW', 10_000),
  minAnswerBytesPerSecond: count('MIN_ANSWER_BYTES_PER_SECOND', 1_024, 0),
  // The systems on the way hold much of an answer, so it moves in leaps.
  answerRateWindowMs: time('ANSWER_RATE_WINDOW', 60_000),
  keepAliveTimeoutMs: time('KEEP_ALIVE_TIMEOUT', 65_000),
  idleTimeoutMs: time('IDLE_TIMEOUT', 120_000),
  storeRetryMs: time('STORE_RETRY', 5_000, 0),
  sweepIntervalMs: time('SWEEP_INTERVAL', 2_000),
  forgottenAfterMs: time('FORGOTTEN_AFTER', 30_000),
  workerDeadAfterMs: time('WORKER_DEAD_AFTER', 10_000),
  drainMs: time('DRAIN_TIMEOUT', 20_000, 0),
};

function readNumbers(reader: EnvReader): Record<NumberKey, number> {
  const entries = Object.entries(NUMBERS) as [NumberKey, NumberRule][];
  return Object.fromEntries(entries.map(([key, rule]) => [key, reader[rule.kind](rule.env, rule)])) as Record<
    NumberKey,
    number
  >;
}

/** Jobs with at most this many iterations left are hashed by endpoints: of use to whoever shares a store with them. */
export function readInlineIterations(reader: EnvReader): number {
  return reader.integer(NUMBERS.inlineIterations.env, NUMBERS.inlineIterations);
}

/** What only shows when settings are seen together, or when they did not come from an environment. */
function checkTogether(settings: EndpointSettings, reader: EnvReader): void {
  for (const [key, { env, min, max }] of Object.entries(NUMBERS) as [NumberKey, NumberRule][]) {
    const value = settings[key];
    if (!Number.isSafeInteger(value) || value < min || value > max)
      reader.fault(env, `expected an integer from ${min} to ${max}, got ${value}`);
  }
  const faulty = faultyRange(settings.allowedClients);
  if (faulty !== null)
    reader.fault('ALLOWED_CLIENTS', `expected ranges such as 10.0.0.0/8, got ${JSON.stringify(faulty)}`);
  if (settings.idleTimeoutMs <= settings.waitSecondsMax * 1000)
    reader.fault('IDLE_TIMEOUT', 'must be longer than WAIT_SECONDS_MAX, or it would cut waits off');
  if (settings.idleTimeoutMs <= settings.sseHeartbeatMs)
    reader.fault('IDLE_TIMEOUT', 'must be longer than SSE_HEARTBEAT, or it would cut event streams off');
  if (settings.maxHeldBytes < settings.maxDocumentBytes)
    reader.fault('MAX_HELD_BYTES', 'must be at least MAX_DOCUMENT_BYTES, or the largest document never fits');
}

/**
 * Settings from an environment, over which `overrides` win. Embedded mode binds to loopback, a cluster's endpoint to
 * every address. Throws `SettingsError`, which names all that is wrong at once.
 */
export function endpointSettings(env: Env, overrides: Partial<EndpointSettings> = {}): EndpointSettings {
  const reader = new EnvReader(env);
  const modes = { default: 'embedded', of: ['embedded', 'cluster'] } as const;
  const mode = overrides.mode ?? reader.choice('HASHCLUSTER_MODE', modes);
  const settings: EndpointSettings = {
    mode,
    version: '0.0.0',
    id: reader.text('ENDPOINT_ID', { default: null }),
    host: reader.text('LISTEN_HOST', { default: mode === 'embedded' ? '127.0.0.1' : '::' }),
    allowedClients: reader.list('ALLOWED_CLIENTS'),
    allowedHosts: allowedHosts(reader),
    ...readNumbers(reader),
    ...overrides,
  };
  if (reader.faults.length === 0) checkTogether(settings, reader);
  if (reader.faults.length > 0) throw new SettingsError(reader.faults);
  return settings;
}
