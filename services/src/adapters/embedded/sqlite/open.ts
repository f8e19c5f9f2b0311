import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { COST_CLASSES } from '../../../jobs/cost.ts';
import { makeDirectory } from '../../../runtime/make-directory.ts';
import { expireOwners } from './commands/sweep.ts';
import { LIVE_CELLS, RESULT_CELLS } from './cells.ts';
import { transactRepairing } from './repair.ts';
import { Ledger } from './ledger.ts';
import type { Opened, ThreadSetup } from './protocol.ts';
import type { KeptClock } from './store-clock.ts';
import { APPLICATION_ID, createReuseIndex, MIGRATIONS, reuseIndex } from './schema.ts';

/** SQLite's own pages in memory, in KiB. */
const CACHE_KIB = 16_384;
/** The log is folded into the file when it has this many pages of 4 KiB: 16 MiB. */
const CHECKPOINT_PAGES = 4_096;
/** What the log may keep of the disk after it was longer. */
const LOG_BYTES = 64 * 1024 * 1024;
/** Jobs of an earlier process that are requeued in one transaction. */
const REQUEUE_BATCH = 1_000;
/** SQLite's result codes that need a plain word. Source: https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;
/** SQLITE_IOERR, SQLITE_FULL: the disk is full, or a limit on files or for a user is reached. */
const UNWRITABLE = new Set([10, 13]);

export interface OpenStore {
  readonly db: DatabaseSync;
  readonly ledger: Ledger;
  readonly opened: Opened;
}

/** Opens the file, or makes it. Throws an error whose message says what is wrong with the file. */
export function openStore(setup: ThreadSetup): OpenStore {
  let db: DatabaseSync | null = null;
  try {
    makeDirectory(dirname(setup.file));
    db = new DatabaseSync(setup.file);
    const version = lock(db, setup.file);
    configure(db);
    migrate(db, version, setup);
    const ledger = new Ledger(db, setup);
    ledger.transact(() => ledger.index.load());
    const clock = keptClock(ledger, setup);
    const now = Math.max(setup.now, clock?.now ?? 0);
    return { db, ledger, opened: { version, clock, ...recover(ledger, now) } };
  } catch (error) {
    db?.close();
    throw explained(error, setup.file);
  }
}

/** Takes the file for this process. Returns its version, or throws when it is not ours; then nothing in it is changed. */
function lock(db: DatabaseSync, file: string): number {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('BEGIN IMMEDIATE');
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' LIMIT 1`).get();
  db.exec('ROLLBACK');
  if (application !== APPLICATION_ID && tables) throw new Error(`${file} is not a hashcluster store`);
  if (version > MIGRATIONS.length) {
    const known = `this hashcluster knows version ${MIGRATIONS.length} and older`;
    throw new Error(`${file} has version ${version} of the store format, ${known}; use a newer hashcluster`);
  }
  return version;
}

/** Every commit is flushed (`FULL`), and costs one write to the log. */
function configure(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.exec(`PRAGMA journal_size_limit = ${LOG_BYTES}`);
  db.exec('PRAGMA mmap_size = 0');
  db.exec('PRAGMA temp_store = MEMORY');
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0]);
}

function migrate(db: DatabaseSync, version: number, { reuseIterations }: ThreadSetup): void {
  const indexes = db.prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'index' AND name GLOB 'results_reuse_*'`,
  );
  const names = indexes.all().map(({ name }) => String(name));
  const wanted = reuseIndex(reuseIterations);
  // Nothing is written then: a full disk does not keep the file from being read.
  if (version === MIGRATIONS.length && names.length === 1 && names[0] === wanted) return;
  db.exec('BEGIN');
  for (const step of MIGRATIONS.slice(version)) db.exec(step);
  for (const name of names) if (name !== wanted) db.exec(`DROP INDEX ${name}`);
  if (!names.includes(wanted)) db.exec(createReuseIndex(reuseIterations));
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  db.exec('COMMIT');
}

/** A file of an earlier version tells when its results were used last. */
function keptClock(ledger: Ledger, { now, retentionMs }: ThreadSetup): KeptClock | null {
  const kept = ledger.sql.row('keptClock') as [number, number] | undefined;
  if (kept) return { now: kept[0], expiry: kept[1] };
  const [last] = ledger.sql.row('lastExpiry') as [number | null];
  return last === null ? null : { now, expiry: last - retentionMs };
}

/**
 * Nobody else can have the file, so every lease and owner in it is of a process that has ended. That counts as a death
 * like any other: a job that takes its process down each time is given up at last.
 */
function recover(ledger: Ledger, now: number): Omit<Opened, 'version' | 'clock'> {
  const found = { requeued: 0, failed: 0 };
  let unwritable: string | null = null;
  try {
    requeueAll(ledger, now, found);
  } catch (error) {
    if (!UNWRITABLE.has(resultCode(error))) throw error;
    // Their leases run out by themselves: a sweep finds them once there is space again.
    unwritable = error instanceof Error ? error.message : String(error);
  }
  const queued = COST_CLASSES.map((each) => ledger.sql.row('countQueued', each) as [number, number, number]);
  ledger.tally.load(queued, ledger.sql.row('countRunning')![0] as number);
  return { queued: ledger.tally.live - ledger.tally.running, ...found, unwritable };
}

function requeueAll(ledger: Ledger, now: number, sum: { requeued: number; failed: number }): void {
  for (let found = 1; found > 0;) {
    found = transactRepairing(ledger, now, () => {
      const expired = expireOwners(ledger, { limit: REQUEUE_BATCH, now, spare: () => false });
      sum.requeued += expired.requeued.length / LIVE_CELLS;
      sum.failed += expired.failed.length / RESULT_CELLS;
      return expired.requeued.length + expired.failed.length;
    });
  }
  ledger.transact(() => ledger.sql.run('forgetEveryWorker'));
}

function resultCode(error: unknown): number {
  return Number((error as { errcode?: number }).errcode) & 0xff;
}

function explained(error: unknown, file: string): Error {
  const code = resultCode(error);
  if (code === SQLITE_BUSY) return new Error(`${file} is in use by another hashcluster process`);
  if (code === SQLITE_NOTADB) return new Error(`${file} is not a hashcluster store`);
  const message = error instanceof Error ? error.message : String(error);
  return new Error(message.includes(file) ? message : `${file} cannot be opened: ${message}`);
}
