import type { SqliteStore } from '../adapters/embedded/sqlite-store.ts';
import type { Clock } from '../ports/clock.ts';

export interface RestartHelpsOptions {
  readonly store: Pick<SqliteStore, 'trouble' | 'isOpen'>;
  readonly worker: { trouble(): string | null };
  readonly clock: Pick<Clock, 'monotonic'>;
  /** What the worker has for renewing its lease when the store can be written again, in milliseconds. */
  readonly graceMs: number;
}

/**
 * What is wrong with the worker that a restart can mend, for liveness. A disk that is full is full after a restart as well:
 * while the file is open and only cannot be written, reads go on, and the process lives.
 */
export function restartHelps({ store, worker, clock, graceMs }: RestartHelpsOptions): () => string | null {
  let unwritableAt = -Infinity;
  return () => {
    const now = clock.monotonic();
    if (store.isOpen() && store.trouble() !== null) unwritableAt = now;
    return now - unwritableAt < graceMs ? null : worker.trouble();
  };
}
