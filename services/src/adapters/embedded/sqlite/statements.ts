import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoreOptions } from '../../../ports/job-store.ts';
import type { Cell } from './protocol.ts';
import { reuseIndex } from './schema.ts';

const LIVE = `id, tenant, lower(hex(chain)), iterations, position, lower(hex(digest)), class, owner, attempts,
  createdAt, queuedAt, checksum`;
const RESULT = `id, tenant, lower(hex(chain)), iterations, nullif(lower(hex(digest)), ''), outcome, reason, computed,
  worker, createdAt, startedAt, finishedAt, expiresAt, position, nullif(lower(hex(pointDigest)), ''), checksum`;
const RESULT_OF_R = RESULT.replaceAll(/\b(id|tenant|chain|iterations|digest)\b/g, 'r.$1');

/** A cancelled or failed result says nothing while its job is live again. */
const CURRENT = `expiresAt > ? AND (outcome = 0 OR NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = results.id))`;

const JOBS = {
  insertLive: `INSERT INTO jobs (id, tenant, chain, iterations, position, digest, class, owner, attempts, createdAt,
    queuedAt, checksum) VALUES (?, ?, unhex(?), ?, ?, unhex(?), ?, ?, ?, ?, ?, ?) ON CONFLICT (id, tenant) DO NOTHING`,
  findLive: `SELECT ${LIVE} FROM jobs WHERE id = ?`,
  changeLive: `UPDATE jobs SET position = ?2, digest = unhex(?3), class = ?4, owner = ?5, attempts = ?6, queuedAt = ?7,
    checksum = ?8 WHERE id = ?1`,
  moveLive: `UPDATE jobs SET position = ?2, digest = unhex(?3), attempts = ?4, checksum = ?5 WHERE id = ?1`,
  deleteLive: `DELETE FROM jobs WHERE id = ? RETURNING owner, class, iterations - position`,
  claimId: `UPDATE jobs SET owner = ?2 WHERE id = ?1 AND owner IS NULL RETURNING ${LIVE}`,
  claimOldest: `UPDATE jobs SET owner = ?1 WHERE seq IN
    (SELECT seq FROM jobs WHERE owner IS NULL AND class = ?2 ORDER BY queuedAt LIMIT ?3) RETURNING ${LIVE}`,
  nextOwner: `SELECT owner FROM jobs WHERE owner > ? ORDER BY owner LIMIT 1`,
  owned: `SELECT ${LIVE} FROM jobs WHERE owner = ? LIMIT ?`,
  ownedBy: `SELECT id FROM jobs WHERE owner = ? LIMIT ?`,
  queuedBefore: `SELECT ${LIVE} FROM jobs WHERE owner IS NULL AND class = ? AND queuedAt < ? ORDER BY queuedAt LIMIT ?`,
  oldestQueued: `SELECT queuedAt FROM jobs WHERE owner IS NULL AND class = ? ORDER BY queuedAt LIMIT 1`,
  countQueued: `SELECT count(*), ifnull(sum((iterations - position) / 4294967296), 0),
    ifnull(sum((iterations - position) % 4294967296), 0) FROM jobs WHERE owner IS NULL AND class = ?`,
  countRunning: `SELECT count(*) FROM jobs WHERE owner > ''`,
  listRunning: `SELECT ${LIVE} FROM jobs INDEXED BY jobs_owner
    WHERE owner > '' AND tenant = ? AND id > ? ORDER BY id LIMIT ?`,
  walkLive: `SELECT id, tenant FROM jobs WHERE id > ? ORDER BY id LIMIT ?`,
};

const RESULTS = {
  insertResult: `INSERT INTO results (seq, id, tenant, chain, iterations, digest, outcome, reason, computed, worker,
    createdAt, startedAt, finishedAt, expiresAt, position, pointDigest, checksum)
    VALUES (?, ?, ?, unhex(?), ?, unhex(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, unhex(?), ?)`,
  replaceResult: `UPDATE results SET tenant = ?2, chain = unhex(?3), iterations = ?4, digest = unhex(?5), outcome = ?6,
    reason = ?7, computed = ?8, worker = ?9, createdAt = ?10, startedAt = ?11, finishedAt = ?12, expiresAt = ?13,
    position = ?14, pointDigest = unhex(?15), checksum = ?16 WHERE seq = ?1`,
  touchResult: `UPDATE results SET expiresAt = ?2 WHERE seq = ?1`,
  resultBySeq: `SELECT ${RESULT}, seq FROM results WHERE seq = ?`,
  resultSettled: `SELECT ${RESULT_OF_R}, r.seq FROM settled AS s JOIN results AS r ON r.seq = s.seq
    WHERE s.key = ? AND r.id = ?`,
  resultsAt: `SELECT ${RESULT} FROM results
    WHERE tenant = ? AND outcome = ? AND finishedAt = ? AND id > ? AND ${CURRENT} ORDER BY id LIMIT ?`,
  resultsBefore: `SELECT ${RESULT} FROM results
    WHERE tenant = ? AND outcome = ? AND finishedAt < ? AND ${CURRENT} ORDER BY finishedAt DESC, id LIMIT ?`,
  resultsSince: `SELECT ${RESULT} FROM results
    WHERE tenant = ? AND outcome = ? AND finishedAt >= ? AND id > ? AND id <= ? AND ${CURRENT} ORDER BY id LIMIT ?`,
  expired: `SELECT seq, id FROM results WHERE expiresAt <= ? ORDER BY expiresAt LIMIT ?`,
  deleteResult: `DELETE FROM results WHERE seq = ?`,
};

const SETTLED = {
  isSettled: `SELECT 1 FROM settled WHERE key = ? LIMIT 1`,
  settle: `INSERT OR IGNORE INTO settled (key, seq) VALUES (?, ?)`,
  unsettle: `DELETE FROM settled WHERE key = ? AND seq = ?`,
  settledUntil: `SELECT seq FROM settled_until`,
  setSettledUntil: `UPDATE settled_until SET seq = ?`,
  lastResult: `SELECT max(seq) FROM results`,
  unsettled: `SELECT seq, id FROM results WHERE seq > ?`,
};

const WORKERS = {
  renew: `INSERT INTO workers (id, leaseUntil) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET leaseUntil = excluded.leaseUntil`,
  leaseUntil: `SELECT leaseUntil FROM workers WHERE id = ?`,
  forgetWorkers: `DELETE FROM workers
    WHERE leaseUntil <= ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.owner = workers.id)`,
  forgetEveryWorker: `DELETE FROM workers`,
};

const CLOCK = {
  keptClock: `SELECT now, expiry FROM clock`,
  keepClock: `INSERT INTO clock (id, now, expiry) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET now = excluded.now, expiry = excluded.expiry`,
  nextExpiry: `SELECT min(expiresAt) FROM results`,
  lastExpiry: `SELECT max(expiresAt) FROM results`,
};

const FIXED = { ...JOBS, ...RESULTS, ...SETTLED, ...WORKERS, ...CLOCK };

/** Only results that are worth looking up are in the index for this, so it must ask for no others. */
function reuseText({ reuseIterations, sharedCache }: ReuseOptions): string {
  return `SELECT ${RESULT} FROM results INDEXED BY ${reuseIndex(reuseIterations)}
    WHERE substr(chain, 1, 8) = substr(unhex(?1), 1, 8) AND iterations <= ?2 AND outcome = 0
    AND iterations >= ${reuseIterations} AND chain = unhex(?1) AND expiresAt > ?3
    ${sharedCache ? '' : 'AND tenant = ?4'} ORDER BY iterations DESC LIMIT 1`;
}

type ReuseOptions = Pick<StoreOptions, 'reuseIterations' | 'sharedCache'>;

export type StatementName = keyof typeof FIXED | 'reuse';

/** Everything the thread ever asks of the file. None of it reads a whole table: a test asks SQLite for its plans. */
export function statementTexts(options: ReuseOptions): Readonly<Record<StatementName, string>> {
  return { ...FIXED, reuse: reuseText(options) };
}

/** Prepared statements; rows come as plain lists of cells. */
export class Statements {
  readonly #prepared: Readonly<Record<StatementName, StatementSync>>;

  constructor(db: DatabaseSync, options: StoreOptions) {
    const prepare = ([name, text]: [string, string]): [string, StatementSync] => {
      const statement = db.prepare(text);
      statement.setReturnArrays(true);
      return [name, statement];
    };
    const prepared = Object.entries(statementTexts(options)).map(prepare);
    this.#prepared = Object.fromEntries(prepared) as Record<StatementName, StatementSync>;
  }

  /** The number of rows changed. */
  run(name: StatementName, ...values: Cell[]): number {
    return Number(this.#prepared[name].run(...values).changes);
  }

  row(name: StatementName, ...values: Cell[]): Cell[] | undefined {
    return this.#prepared[name].get(...values) as unknown as Cell[] | undefined;
  }

  rows(name: StatementName, ...values: Cell[]): Cell[][] {
    return this.#prepared[name].all(...values) as unknown as Cell[][];
  }

  each(name: StatementName, ...values: Cell[]): Iterable<Cell[]> {
    return this.#prepared[name].iterate(...values) as unknown as Iterable<Cell[]>;
  }
}
