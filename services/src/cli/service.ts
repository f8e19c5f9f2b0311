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
  readonly logFormat: 'json' | 'pretty';
  readonly logLevel: string;
  readonly env: Record<string, string | undefined>;
}

/** A service that runs in this process and answers. */
export interface EmbeddedService {
  readonly url: string;
  readonly adminUrl: string;
  /** Drains: work is checkpointed and given back. Idempotent. */
  stop(): Promise<void>;
}

export type StartEmbedded = (options: EmbeddedOptions) => Promise<EmbeddedService>;
