import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chainOf } from '../../../jobs/digest.ts';
import { JOB_ID_PATTERN, jobId } from '../../../jobs/id.ts';
import { MAX_ITERATIONS } from '../../../jobs/limits.ts';
import { OPTIONS } from '../testing/kit.ts';
import { keyOf, ResultIndex } from './result-index.ts';
import { createReuseIndex, MIGRATIONS } from './schema.ts';
import { Statements } from './statements.ts';

/** So short that random histories fill many runs. */
const RUN = 8;

/** Ids of which many share the part that the index looks at. */
const IDS = Array.from({ length: 40 }, (_, number) => `${String(number % 15).padStart(10, '0')}${number}`);

type Change =
  | { readonly kind: 'add'; readonly ids: readonly string[]; readonly commit: boolean }
  | { readonly kind: 'remove'; readonly ids: readonly string[]; readonly commit: boolean }
  | { readonly kind: 'reopen' };

const ids = fc.subarray(IDS, { minLength: 1, maxLength: 6 });
const commit = fc.integer({ min: 0, max: 3 }).map((number) => number > 0);
const change: fc.Arbitrary<Change> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('add' as const), ids, commit }), weight: 6 },
  { arbitrary: fc.record({ kind: fc.constant('remove' as const), ids, commit }), weight: 3 },
  { arbitrary: fc.constant<Change>({ kind: 'reopen' }), weight: 1 },
);

/** The index over a table of results that hold an id and nothing else worth mentioning. */
class Bench {
  readonly #db = new DatabaseSync(':memory:');
  readonly #sql: Statements;
  #index: ResultIndex;
  /** What should be there: the row of each id. */
  readonly rows = new Map<string, number>();

  constructor() {
    for (const step of MIGRATIONS) this.#db.exec(step);
    this.#db.exec(createReuseIndex(OPTIONS.reuseIterations));
    this.#sql = new Statements(this.#db, OPTIONS);
    this.#index = this.#open();
  }

  #open(): ResultIndex {
    const index = new ResultIndex(this.#sql, RUN);
    index.load();
    index.commit();
    return index;
  }

  do(event: Change): void {
    if (event.kind === 'reopen') {
      this.#index = this.#open();
      return;
    }
    const next = new Map(this.rows);
    this.#db.exec('BEGIN');
    for (const id of event.ids) {
      if (event.kind === 'add') this.#add(id, next);
      else this.#remove(id, next);
    }
    this.#index.settle();
    this.#db.exec(event.commit ? 'COMMIT' : 'ROLLBACK');
    if (!event.commit) return this.#index.rollback();
    this.#index.commit();
    this.rows.clear();
    for (const [id, row] of next) this.rows.set(id, row);
  }

  #add(id: string, rows: Map<string, number>): void {
    if (rows.has(id)) return;
    const seq = this.#index.add(id);
    const chain = chainOf(id);
    this.#sql.run('insertResult', seq, id, 't', chain, 1, chain, 0, null, 0, null, 0, null, 0, 0);
    rows.set(id, seq);
  }

  #remove(id: string, rows: Map<string, number>): void {
    const seq = rows.get(id);
    if (seq === undefined) return;
    this.#sql.run('deleteResult', seq);
    this.#index.remove(id, seq);
    rows.delete(id);
  }

  /** The row of an id as the store looks for it. */
  find(id: string): number | undefined {
    const recent = this.#index.recent(id).find((seq) => this.#sql.row('resultBySeq', seq)?.[0] === id);
    const found = recent ?? (this.#sql.row('resultSettled', keyOf(id), id)?.at(-1) as number | undefined);
    if (found !== undefined) expect(this.#index.mayHave(id)).toBe(true);
    return found;
  }

  /** Entries of the table that lead nowhere. */
  get strays(): number {
    const text = 'SELECT count(*) AS n FROM settled WHERE seq NOT IN (SELECT seq FROM results)';
    return Number(this.#db.prepare(text).get()!['n']);
  }

  get settled(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM settled').get()!['n']);
  }
}

describe('the index of results', () => {
  test('finds each result and nothing else, through runs, collisions, rollbacks and restarts', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40, size: 'max' }), (changes) => {
        const bench = new Bench();
        for (const each of changes) {
          bench.do(each);
          for (const id of IDS) expect(bench.find(id)).toBe(bench.rows.get(id));
        }
        expect(bench.strays).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('settles what it was given, run by run', () => {
    const bench = new Bench();
    for (let number = 0; number < 50; number++) {
      const id = jobId('t', chainOf(String(number)), 1);
      bench.do({ kind: 'add', ids: [id], commit: true });
    }
    expect(bench.settled).toBeGreaterThanOrEqual(50 - 2 * RUN);
  });

  test('finds what comes after the newest rows are gone and the file was opened again', () => {
    const bench = new Bench();
    const all = Array.from({ length: 40 }, (_, number) => jobId('t', chainOf(String(number)), 1));
    for (const id of all) bench.do({ kind: 'add', ids: [id], commit: true });
    bench.do({ kind: 'remove', ids: all.slice(5), commit: true });
    bench.do({ kind: 'reopen' });
    bench.do({ kind: 'add', ids: all.slice(30), commit: true });
    bench.do({ kind: 'reopen' });
    for (const id of all) expect(bench.find(id)).toBe(bench.rows.get(id));
  });

  test('while it is open, never uses the number of a row again, not even of one that is gone', () => {
    const bench = new Bench();
    const all = Array.from({ length: 40 }, (_, number) => jobId('t', chainOf(String(number)), 1));
    for (const id of all) bench.do({ kind: 'add', ids: [id], commit: true });
    const last = Math.max(...bench.rows.values());
    bench.do({ kind: 'remove', ids: all.slice(0, 30), commit: true });
    bench.do({ kind: 'add', ids: all.slice(0, 3), commit: true });
    expect(Math.min(...all.slice(0, 3).map((id) => bench.rows.get(id)!))).toBe(last + 1);
  });
});

describe('keys', () => {
  const digest = fc
    .uint8Array({ minLength: 64, maxLength: 64 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
  const id = fc
    .tuple(digest, fc.integer({ min: 1, max: MAX_ITERATIONS }))
    .map(([chain, n]) => jobId('t', chain, n));

  test('are exact positive integers, and sort like ids', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(a).toMatch(JOB_ID_PATTERN);
        expect(Number.isSafeInteger(keyOf(a)) && keyOf(a) > 0).toBe(true);
        if (keyOf(a) !== keyOf(b)) expect(keyOf(a) < keyOf(b)).toBe(a < b);
      }),
    );
  });

  test.each(['', 'no id', '-1', '!!!', '0000000000', '\u{1f600}'])('of %j is one, too', (text) => {
    expect(keyOf(text)).toBeGreaterThan(0);
  });
});
