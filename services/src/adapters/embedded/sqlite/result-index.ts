import type { JobId } from '../../../jobs/job.ts';
import { KeyTable } from './key-table.ts';
import type { Statements } from './statements.ts';

/** Ids in memory before a run of them is sorted and goes to disk; the two tables of runs take 2 MiB each. */
const RUN = 65_536;
/** Ids that settle for each one that comes, so that a run is on disk well before the next is full. */
const PACE = 1.5;
const KEY_CHARACTERS = 10;
const DIGIT_0 = 48;
const LETTER_A = 97;

/**
 * The beginning of an id as a number, 1 … 2^53, in base 36, whose digits sort like characters. Two ids may share it,
 * however rarely; all that is no id shares one.
 */
export function keyOf(id: JobId): number {
  let key = 0;
  for (let at = 0; at < KEY_CHARACTERS; at++) {
    const code = id.charCodeAt(at);
    const digit = code < LETTER_A ? code - DIGIT_0 : code - LETTER_A + 10;
    if (!(digit >= 0 && digit < 36)) return 1;
    key = key * 36 + digit;
  }
  return key + 1;
}

interface Removal {
  readonly from: KeyTable;
  readonly key: number;
  readonly seq: number;
}

/**
 * Where the result of an id is. New ids are held in memory; a full run of them is sorted and moved into the table
 * `settled` little by little, beside the new results. So a new result costs a tenth of a page of that table, not a whole
 * one, however many there are. Nothing in memory is needed to survive: rows above `settled_until` are read again at
 * the start.
 */
export class ResultIndex {
  readonly #sql: Statements;
  #filling: KeyTable;
  #settling: KeyTable;
  /** The keys of `#settling`, sorted; those before `#done` are on disk. */
  #order: Float64Array;
  /** Room for a run, made once. */
  readonly #room: Float64Array;
  #done = 0;
  #doneNow = 0;
  /** Every row up to here is settled once `#order` is. */
  #until = 0;
  #last = 0;
  /** What this transaction did to the memory: a key that was added to `#filling`, or what was removed. */
  readonly #undo: (number | Removal)[] = [];
  #added = 0;

  /** @param run ids in memory before they are sorted: a power of two. */
  constructor(sql: Statements, run = RUN) {
    this.#sql = sql;
    this.#filling = new KeyTable(2 * run);
    this.#settling = new KeyTable(2 * run);
    this.#room = new Float64Array(run);
    this.#order = this.#room.subarray(0, 0);
  }

  /** Reads back what was only in memory. To be called in a transaction. */
  load(): void {
    const until = this.#sql.row('settledUntil')![0] as number;
    this.#last = Math.max(until, (this.#sql.row('lastResult')![0] as number | null) ?? 0);
    for (const [seq, id] of this.#sql.each('unsettled', until)) this.#put(keyOf(id as string), seq as number);
  }

  /** False: there is no result of this id. True: there may be. */
  mayHave(id: JobId): boolean {
    const key = keyOf(id);
    if ((this.#filling.get(key) ?? this.#settling.get(key)) !== undefined) return true;
    return this.#sql.row('isSettled', key) !== undefined;
  }

  /** Rows in memory that may be of this id; the rest are in the table. */
  recent(id: JobId): number[] {
    const key = keyOf(id);
    return [this.#filling.get(key), this.#settling.get(key)].filter((seq) => seq !== undefined);
  }

  /** The number of a new row, for a result of this id. */
  add(id: JobId): number {
    const seq = ++this.#last;
    this.#put(keyOf(id), seq);
    return seq;
  }

  /** A key that two ids share, or that has no room in memory, settles at once. */
  #put(key: number, seq: number): void {
    this.#added++;
    if (this.#filling.full || this.#filling.get(key) !== undefined) {
      this.#sql.run('settle', key, seq);
      return;
    }
    this.#filling.set(key, seq);
    this.#undo.push(key);
  }

  remove(id: JobId, seq: number): void {
    const key = keyOf(id);
    this.#sql.run('unsettle', key, seq);
    for (const from of [this.#filling, this.#settling]) {
      if (from.get(key) !== seq) continue;
      from.delete(key);
      this.#undo.push({ from, key, seq });
    }
  }

  /** Moves a part of the sorted run into the table. Called once in each transaction, before its end. */
  settle(): void {
    const end = Math.min(this.#order.length, this.#done + Math.ceil(this.#added * PACE));
    for (this.#doneNow = this.#done; this.#doneNow < end; this.#doneNow++) {
      const key = this.#order[this.#doneNow]!;
      const seq = this.#settling.get(key);
      if (seq !== undefined) this.#sql.run('settle', key, seq);
    }
    if (end > this.#done && end === this.#order.length) this.#sql.run('setSettledUntil', this.#until);
  }

  commit(): void {
    this.#done = this.#doneNow;
    this.#forgetUndo();
    if (this.#done < this.#order.length || !this.#filling.full) return;
    [this.#filling, this.#settling] = [this.#settling, this.#filling];
    this.#filling.clear();
    this.#order = this.#settling.sortedKeys(this.#room);
    this.#done = this.#doneNow = 0;
    this.#until = this.#last;
  }

  /** The numbers of the rows that did not come are not used again. */
  rollback(): void {
    for (const change of this.#undo.reverse()) {
      if (typeof change === 'number') this.#filling.delete(change);
      else change.from.set(change.key, change.seq);
    }
    this.#forgetUndo();
  }

  #forgetUndo(): void {
    this.#undo.length = 0;
    this.#added = 0;
  }
}
