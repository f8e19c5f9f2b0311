import { DEFAULT_RETENTION_MS } from '../jobs/limits.ts';
import type { EnvReader } from '../runtime/settings.ts';

/** What the environment says to a service in one process, besides what its parts read themselves. */
export interface EmbeddedSettings {
  /** The hashing backend to force; null: the fastest. */
  readonly backend: string | null;
  /** Engines; null: one per core that this process may use. */
  readonly engines: number | null;
  /** Results are kept this long after their last use, in milliseconds. */
  readonly retentionMs: number;
  /** Whether one tenant's chains may be gone on from for another. */
  readonly sharedCache: boolean;
}

const MINUTE_MS = 60_000;
const CENTURY_MS = 36_500 * 24 * 60 * MINUTE_MS;

export function embeddedSettings(read: EnvReader): EmbeddedSettings {
  const engines = read.integer('HASH_ENGINES', { default: 0, min: 0, max: 1_024 });
  return {
    backend: read.text('HASH_BACKEND', { default: null }),
    engines: engines === 0 ? null : engines,
    retentionMs: read.durationMs('RESULT_RETENTION', {
      default: DEFAULT_RETENTION_MS,
      min: MINUTE_MS,
      max: CENTURY_MS,
    }),
    sharedCache: read.boolean('CACHE_SHARED', true),
  };
}
