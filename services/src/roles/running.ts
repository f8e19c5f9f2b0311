import type { LogFormat, LogLevel } from '../runtime/log-settings.ts';
import type { Env } from '../runtime/settings.ts';

/** What `start` and `demo` ask of the service they run in this process. */
export interface EmbeddedOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Exists already, and is writable. */
  readonly dataDir: string;
  /** The hashing backend to force; null: the fastest that works here. */
  readonly backend: string | null;
  /** Engines (threads that hash); null: one per core. */
  readonly engines: number | null;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly version: string;
  readonly env: Env;
}

/** A role that runs in this process. */
export interface Running {
  /** Where the API is; null for a role without one. */
  readonly url: string | null;
  readonly adminUrl: string;
  /** Drains: work is checkpointed and given back. Idempotent. */
  stop(): Promise<void>;
}

/** A role with an API, which answers. */
export interface RunningEndpoint extends Running {
  readonly url: string;
}

/** A whole service that runs in this process and answers, and what it hashes with. */
export interface EmbeddedService extends RunningEndpoint {
  readonly backend: string;
  readonly engines: number;
}

/** Rejects with the signal's reason when that aborts before the service answers; nothing is left running then. */
export type StartEmbedded = (options: EmbeddedOptions, signal: AbortSignal) => Promise<EmbeddedService>;

/** What a worker says of itself when it is ready. */
export interface RunningWorker extends Running {
  readonly worker: string;
  readonly backend: string;
  readonly engines: number;
}
