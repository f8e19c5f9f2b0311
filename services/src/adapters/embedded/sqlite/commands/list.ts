import { CellReader, LIVE_CELLS, OUTCOMES } from '../cells.ts';
import { AFTER_EVERY_ID } from '../../../../ports/job-store-cursor.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/** Ids looked at for one page at most, so that a tenant with few jobs among very many does not hold up the rest. */
const WALK = 50_000;

interface Query {
  readonly tenant: string;
  readonly state: string | null;
  readonly limit: number;
  /** What is not after this has expired. */
  readonly now: number;
}

/**
 * Cells: tenant, state, limit, then where to go on: `live`, an id and when the list began, or `results`, a time and an id.
 * Answers with views, at most `limit`; `ended` are results that stand among the live jobs. Two more cells when the walk was
 * cut short: `cut`, and the id where it goes on.
 */
export function list(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const reader = new CellReader(cells);
  const query = {
    tenant: reader.text(),
    state: reader.cell() as string | null,
    limit: reader.number(),
    now: ledger.expiry(now),
  };
  if (reader.text() === 'results') {
    return views('result', results(ledger, query, { finishedAt: reader.number(), id: reader.text() }));
  }
  const after = reader.text();
  const since = (reader.cell() as number | null) ?? now;
  const { rows, cutAt } = live(ledger, query, after);
  if (query.state !== null) {
    const found = views('live', rows);
    if (cutAt !== null) return [...found, 'cut', cutAt];
    const left = query.limit - rows.length;
    const newest = { finishedAt: Number.MAX_SAFE_INTEGER, id: '' };
    return left > 0
      ? [...found, ...views('result', results(ledger, { ...query, limit: left }, newest))]
      : found;
  }
  const lastId = rows.length === query.limit ? (rows.at(-1)![0] as string) : AFTER_EVERY_ID;
  const ended = endedSince(ledger, query, { since, after, upTo: cutAt ?? lastId });
  const merged = [
    ...rows.map((row) => ({ kind: 'live', row })),
    ...ended.map((row) => ({ kind: 'ended', row })),
  ]
    .sort((a, b) => ((a.row[0] as string) < (b.row[0] as string) ? -1 : 1))
    .slice(0, query.limit);
  const found = merged.flatMap(({ kind, row }) => [kind, ...row]);
  const left = query.limit - merged.length;
  if (left === 0) return found;
  if (cutAt !== null) return [...found, 'cut', cutAt];
  const begin = { finishedAt: since, id: AFTER_EVERY_ID };
  return [...found, ...views('result', results(ledger, { ...query, limit: left }, begin))];
}

interface Range {
  readonly since: number;
  readonly after: string;
  readonly upTo: string;
}

/** Results of this range of ids, by id, that have come since the list began: its earlier pages have not shown them. */
function endedSince(ledger: Ledger, { tenant, limit, now }: Query, { since, after, upTo }: Range): Cell[][] {
  return OUTCOMES.flatMap((_, code) =>
    ledger.resultRows('resultsSince', tenant, code, since, after, upTo, now, limit),
  )
    .sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1))
    .slice(0, limit);
}

function views(kind: 'live' | 'result', rows: readonly Cell[][]): Cell[] {
  return rows.flatMap((row) => [kind, ...row]);
}

interface Walk {
  readonly rows: Cell[][];
  /** Where to go on when not every id was looked at. */
  readonly cutAt: string | null;
}

function live(ledger: Ledger, query: Query, after: string): Walk {
  const { state, tenant, limit } = query;
  if (state === 'running') {
    return { rows: ledger.liveRows('listRunning', tenant, after, limit), cutAt: null };
  }
  const rows: Cell[][] = [];
  if (state !== null && state !== 'queued') return { rows, cutAt: null };
  let walked = 0;
  for (const [id, owner] of ledger.sql.each('walkLive', after, WALK)) {
    walked++;
    const [row] = owner === tenant ? ledger.liveRows('findLive', id as string) : [];
    if (row && (state === null || row[LIVE_CELLS - 4] === null)) rows.push(row);
    if (rows.length === limit) return { rows, cutAt: null };
    if (walked === WALK) return { rows, cutAt: id as string };
  }
  return { rows, cutAt: null };
}

interface Place {
  readonly finishedAt: number;
  readonly id: string;
}

/** The newest first. Each outcome has its own part of the index, so a rare one is found as fast as a frequent one. */
function results(ledger: Ledger, { tenant, state, limit, now }: Query, { finishedAt, id }: Place): Cell[][] {
  const wanted = OUTCOMES.flatMap((outcome, code) => (state === null || state === outcome ? [code] : []));
  const rows = wanted.flatMap((code) => {
    const same = ledger.resultRows('resultsAt', tenant, code, finishedAt, id, now, limit);
    const older = ledger.resultRows('resultsBefore', tenant, code, finishedAt, now, limit - same.length);
    return [...same, ...older];
  });
  return wanted.length === 1 ? rows : rows.sort(newestFirst).slice(0, limit);
}

function newestFirst(a: readonly Cell[], b: readonly Cell[]): number {
  return (b[11] as number) - (a[11] as number) || ((a[0] as string) < (b[0] as string) ? -1 : 1);
}
