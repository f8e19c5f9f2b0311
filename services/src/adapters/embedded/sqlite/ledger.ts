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
import type { Moment } from '../../../jobs/machine.ts';
import type { StoreOptions } from '../../../ports/job-store.ts';
import { liveCells, liveOf, RESULT_CELLS, resultCells, resultOf } from './cells.ts';
import type { Cell } from './protocol.ts';
import { keyOf, ResultIndex } from './result-index.ts';
import { Statements } from './statements.ts';
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

  /** What is known of an id. An expired result is not, whether it is deleted yet or not. */
  load(id: JobId, now: number): Held {
    const row = this.#findResult(id);
    const result = row ? resultOf(row) : null;
    const current = result !== null && result.expiresAt > now ? result : null;
    const resultRow = row ? (row[RESULT_CELLS] as number) : null;
    return { record: { live: this.findLive(id), result: current }, resultRow };
  }

  findLive(id: JobId): LiveJob | null {
    const cells = this.sql.row('findLive', id);
    return cells ? liveOf(cells) : null;
  }

  #findResult(id: JobId): Cell[] | undefined {
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
    else if (!before) this.sql.run('insertLive', ...liveCells(after));
    else this.#changeLive(before, after);
  }

  #changeLive(before: LiveJob, after: LiveJob): void {
    const { id, position, digest, owner, attempts, queuedAt } = after;
    if (before.owner === owner && before.queuedAt === queuedAt && before.class === after.class) {
      this.sql.run('moveLive', id, position, digest, attempts);
    } else {
      this.sql.run('changeLive', id, position, digest, after.class, owner, attempts, queuedAt);
    }
  }

  #saveResult({ record, resultRow }: Held, next: JobResult): void {
    if (resultRow === null) {
      this.addResult(resultCells(next));
    } else if (record.result?.outcome === 'done') {
      this.sql.run('touchResult', resultRow, next.expiresAt);
    } else {
      this.sql.run('replaceResult', resultRow, ...resultCells(next).slice(4));
    }
  }

  /** A job of an id that has no result. False, and nothing has happened, when there is a live one. */
  addLive(cells: readonly Cell[]): boolean {
    if (this.sql.run('insertLive', ...cells) === 0) return false;
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
    this.sql.run('insertResult', this.index.add(cells[0] as JobId), ...cells);
  }

  /** The longest known part of a chain that is worth looking up, up to and with the position asked for. */
  longestKnown({ tenant, chain, iterations }: JobFacts, now: number): ChainPoint | null {
    const { reuseIterations, sharedCache } = this.#options;
    if (iterations < reuseIterations) return null;
    const found = sharedCache
      ? this.sql.row('reuse', chain, iterations, now)
      : this.sql.row('reuse', chain, iterations, now, tenant);
    return found ? { position: found[0] as number, digest: found[1] as string } : null;
  }
}
