import type { DatabaseSync } from 'node:sqlite';
import type {
  ChainPoint,
  CostClass,
  JobFacts,
  JobId,
  JobRecord,
  JobResult,
  LiveJob,
} from '../../../jobs/job.ts';
import { checksumOf } from '../../../jobs/checksum.ts';
import type { Moment } from '../../../jobs/machine.ts';
import type { DamagedFact, StoreOptions } from '../../../ports/job-store.ts';
import { LIVE_CELLS, liveCells, liveOf, RESULT_CELLS, resultCells, resultOf } from './cells.ts';
import type { Cell } from './protocol.ts';
import { keyOf, ResultIndex } from './result-index.ts';
import {
  DamagedRowsError,
  isDamagedLive,
  isDamagedResult,
  liveChecksum,
  resultChecksum,
} from './row-checks.ts';
import type { Times } from './store-clock.ts';
import { Statements, type StatementName } from './statements.ts';
import { Tally } from './tally.ts';

/** A record as it was loaded, and the row of its result (which is there even when the result has expired). */
export interface Held {
  readonly record: JobRecord;
  readonly resultRow: number | null;
}

/** Jobs and results as records. What it keeps in memory follows the transactions. */
export class Ledger {
  readonly sql: Statements;
  readonly index: ResultIndex;
  readonly tally = new Tally();
  /** What was found damaged, and is to be reported. */
  readonly found: DamagedFact[] = [];
  /** Of the command that is carried out. */
  times: Times = { now: 0, lag: 0, monotonic: 0 };
  readonly #db: DatabaseSync;
  readonly #options: StoreOptions;

  constructor(db: DatabaseSync, options: StoreOptions) {
    this.#db = db;
    this.#options = options;
    this.sql = new Statements(db, options);
    this.index = new ResultIndex(this.sql);
  }

  /** Runs `work` in one transaction: all of it is durable on return, or nothing of it has happened and it throws. */
  transact<T>(work: () => T): T {
    try {
      this.#db.exec('BEGIN');
      const answer = work();
      this.index.settle();
      this.#db.exec('COMMIT');
      this.tally.commit();
      this.index.commit();
      return answer;
    } catch (error) {
      // A full disk makes SQLite roll back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.tally.rollback();
      this.index.rollback();
      throw error;
    }
  }

  moment(now: number): Moment {
    return { now, retentionMs: this.#options.retentionMs };
  }

  /** What is not after this has expired. */
  expiry(now: number): number {
    return now - this.times.lag;
  }

  /** Keeps the clock for the next process. */
  keepClock({ now, lag }: Times): void {
    this.sql.run('keepClock', now, now - lag);
  }

  /** What is known of an id. An expired result is not, whether it is deleted yet or not. */
  load(id: JobId, now: number): Held {
    const row = this.findResult(id);
    if (row && isDamagedResult(row)) throw new DamagedRowsError([id]);
    const result = row ? resultOf(row) : null;
    const current = result !== null && result.expiresAt > this.expiry(now) ? result : null;
    const resultRow = row ? (row[RESULT_CELLS + 1] as number) : null;
    return { record: { live: this.findLive(id), result: current }, resultRow };
  }

  /** Rows of live jobs, without their check values. Throws `DamagedRowsError` where those do not match. */
  liveRows(name: StatementName, ...values: Cell[]): Cell[][] {
    return sound(this.sql.rows(name, ...values), LIVE_CELLS, isDamagedLive);
  }

  /** Likewise of results. */
  resultRows(name: StatementName, ...values: Cell[]): Cell[][] {
    return sound(this.sql.rows(name, ...values), RESULT_CELLS, isDamagedResult);
  }

  findLive(id: JobId): LiveJob | null {
    const [cells] = this.liveRows('findLive', id);
    return cells ? liveOf(cells) : null;
  }

  /** The row as it is: with its check value, and where it is. */
  findResult(id: JobId): Cell[] | undefined {
    for (const seq of this.index.recent(id)) {
      const row = this.sql.row('resultBySeq', seq);
      if (row?.[0] === id) return row;
    }
    return this.sql.row('resultSettled', keyOf(id), id);
  }

  /** Writes what is different. */
  save(held: Held, next: JobRecord): void {
    this.saveLive(held.record.live, next.live);
    if (next.result && next.result !== held.record.result) this.#saveResult(held, next.result);
  }

  saveLive(before: LiveJob | null, after: LiveJob | null): void {
    if (before === after) return;
    if (before) this.tally.leave(before);
    if (after) this.tally.enter(after);
    if (!after) this.sql.row('deleteLive', before!.id);
    else if (!before) this.#insertLive(liveCells(after));
    else this.#changeLive(before, after);
  }

  #changeLive(before: LiveJob, after: LiveJob): void {
    const { id, position, digest, owner, attempts, queuedAt } = after;
    const checksum = checksumOf(after, after);
    if (before.owner === owner && before.queuedAt === queuedAt && before.class === after.class) {
      this.sql.run('moveLive', id, position, digest, attempts, checksum);
    } else {
      this.sql.run('changeLive', id, position, digest, after.class, owner, attempts, queuedAt, checksum);
    }
  }

  #saveResult({ record, resultRow }: Held, next: JobResult): void {
    if (resultRow === null) {
      this.addResult(resultCells(next));
    } else if (record.result?.outcome === 'done') {
      this.sql.run('touchResult', resultRow, next.expiresAt);
    } else {
      this.replaceResult(resultRow, resultCells(next));
    }
  }

  replaceResult(row: number, cells: readonly Cell[]): void {
    this.sql.run('replaceResult', row, ...cells.slice(1), resultChecksum(cells));
  }

  #insertLive(cells: readonly Cell[]): number {
    return this.sql.run('insertLive', ...cells, liveChecksum(cells));
  }

  /** A job of an id that has no result. False, and nothing has happened, when there is a live one. */
  addLive(cells: readonly Cell[]): boolean {
    if (this.#insertLive(cells) === 0) return false;
    this.tally.enter(liveOf(cells));
    return true;
  }

  /** Deletes the live job of an id, if there is one. */
  dropLive(id: JobId): void {
    const row = this.tally.live > 0 ? this.sql.row('deleteLive', id) : undefined;
    if (row) this.tally.drop(row[0] as string | null, row[1] as CostClass, row[2] as number);
  }

  /** A result of an id that has none. */
  addResult(cells: readonly Cell[]): void {
    this.sql.run('insertResult', this.index.add(cells[0] as JobId), ...cells, resultChecksum(cells));
  }

  /** The longest known part of a chain that is worth looking up, up to and with the position asked for. */
  longestKnown({ tenant, chain, iterations }: JobFacts, now: number): ChainPoint | null {
    const { reuseIterations, sharedCache } = this.#options;
    if (iterations < reuseIterations) return null;
    const [found] = sharedCache
      ? this.resultRows('reuse', chain, iterations, this.expiry(now))
      : this.resultRows('reuse', chain, iterations, this.expiry(now), tenant);
    return found ? { position: found[3] as number, digest: found[4] as string } : null;
  }
}

function sound(rows: Cell[][], length: number, isDamaged: (row: readonly Cell[]) => boolean): Cell[][] {
  const damaged = rows.filter(isDamaged);
  if (damaged.length > 0) throw new DamagedRowsError(damaged.map(([id]) => id as JobId));
  for (const row of rows) row.length = length;
  return rows;
}
