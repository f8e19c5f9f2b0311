import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { JobStore } from '../ports/job-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { WorkerSettings } from './settings.ts';

/** What a worker is made of. Store, bus and hasher are started and stopped by whoever owns them. */
export interface WorkerDeps {
  readonly store: JobStore;
  readonly bus: Bus;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly settings: WorkerSettings;
  /** Readings of this machine for alive messages; null where unknown. */
  readonly usage: () => Promise<Usage>;
  /** The worker cannot go on; the process must end. */
  readonly onFault: (error: Error) => void;
}

export interface Usage {
  /** Share of the CPU time that this worker may use, 0 … 1. */
  readonly cpu: number;
  /** Bytes. */
  readonly disk: { readonly free: number; readonly total: number } | null;
}
