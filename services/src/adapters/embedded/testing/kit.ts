import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_RETENTION_MS } from '../../../jobs/limits.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { StoreUnderTest } from '../../../ports/job-store-conformance.ts';
import type { DamagedFact, StoreOptions } from '../../../ports/job-store.ts';
import type { LogFields, Logger } from '../../../ports/logger.ts';
import { systemClock } from '../../../runtime/system-clock.ts';
import { tamper } from './tamper.ts';
import { StoreThread, type ThreadOptions } from '../sqlite/store-thread.ts';
import { ThreadedStore } from '../sqlite/threaded-store.ts';

/** Things that the tests of the embedded adapters share. */

export const OPTIONS: StoreOptions = {
  retentionMs: DEFAULT_RETENTION_MS,
  sharedCache: true,
  reuseIterations: 1_000,
};

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  ms(): number;
  advance(ms: number): void;
  /** Sets the wall clock; the monotonic one does not notice. */
  step(ms: number): void;
}

export function fakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  let stepped = 0;
  return {
    now: () => now + stepped,
    ms: () => now + stepped,
    monotonic: () => now - start,
    step: (ms) => {
      stepped += ms;
    },
    advance: (ms) => {
      now += ms;
    },
  };
}

/** Keeps what was logged. */
export interface Record {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordingLogger extends Logger {
  readonly records: Record[];
}

export function recordingLogger(): RecordingLogger {
  const records: Record[] = [];
  const at =
    (level: Record['level']) =>
    (message: string, fields: LogFields = {}): void => {
      records.push({ level, message, fields });
    };
  const logger: RecordingLogger = {
    records,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}

/** A folder of its own for a file, and how to be rid of it. */
export async function temporaryFile(): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'hashcluster-store-'));
  return { file: join(folder, 'jobs.db'), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A store, and the thread behind it. */
export interface OpenedStore {
  readonly store: ThreadedStore;
  readonly thread: StoreThread;
}

/** A started store over a file; what it is not told is as usual. */
export async function openStoreOn(file: string, given: Partial<ThreadOptions> = {}): Promise<OpenedStore> {
  const options = { ...OPTIONS, logger: recordingLogger(), clock: systemClock, ...given, file };
  const thread = new StoreThread(options);
  const store = new ThreadedStore(thread, options.retentionMs);
  await store.start();
  return { store, thread };
}

/** A started store over an empty file, with a clock that the test moves. */
export async function openFakeTimed(options: StoreOptions): Promise<StoreUnderTest> {
  const { file, remove } = await temporaryFile();
  const now = fakeClock();
  const damaged: DamagedFact[] = [];
  const given = { ...options, clock: now, onDamaged: (fact: DamagedFact) => void damaged.push(fact) };
  let opened = await openStoreOn(file, given);
  return {
    store: opened.store,
    now,
    damaged,
    async tamper(id, how) {
      await opened.store.stop();
      tamper(file, id, how);
      await opened.store.start();
    },
    async reopen() {
      // The worker of that process did this again and again, which also keeps the clock.
      await opened.store.renew('earlier', 0);
      await opened.thread.terminate();
      opened = await openStoreOn(file, given);
      return opened.store;
    },
    async close() {
      await opened.store.stop();
      await remove();
    },
  };
}
