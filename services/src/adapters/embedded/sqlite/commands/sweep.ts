import { COST_CLASSES } from '../../../../jobs/cost.ts';
import type { JobId } from '../../../../jobs/job.ts';
import { expire } from '../../../../jobs/machine.ts';
import { CellReader, liveCells, LIVE_CELLS, resultCells, RESULT_CELLS } from '../cells.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/** Rows of jobs that are queued again, and of those that were given up. */
export interface Expired {
  readonly requeued: Cell[];
  readonly failed: Cell[];
}

/** Cells: worker, lease in milliseconds. Answers with nothing. Leases are of this process only: by the monotonic clock. */
export function renew(ledger: Ledger, cells: readonly Cell[]): Cell[] {
  const [worker, leaseMs] = cells as [string, number];
  ledger.sql.run('renew', worker, ledger.times.monotonic + leaseMs);
  ledger.keepClock(ledger.times);
  return [];
}

/**
 * Cells: forgottenAfterMs, limit. Answers with the number of cells of each kind of row, the rows, `expired`, and the
 * earliest `expiresAt` of all results that are left, or null.
 */
export function sweep(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const reader = new CellReader(cells);
  const forgottenAfterMs = reader.number();
  const limit = reader.number();
  const { requeued, failed } = expireOwners(ledger, { limit, now, spare: hasLease(ledger) });
  const forgotten = findForgotten(ledger, now - forgottenAfterMs, limit);
  const expired = deleteExpired(ledger, ledger.expiry(now), limit);
  const next = ledger.sql.row('nextExpiry')![0] as number | null;
  ledger.sql.run('forgetWorkers', ledger.times.monotonic);
  const counts = [requeued.length / LIVE_CELLS, failed.length / RESULT_CELLS, forgotten.length / LIVE_CELLS];
  return [...counts, ...requeued, ...failed, ...forgotten, expired, next];
}

function hasLease(ledger: Ledger): (owner: string) => boolean {
  return (owner) => {
    const row = ledger.sql.row('leaseUntil', owner);
    return row !== undefined && (row[0] as number) > ledger.times.monotonic;
  };
}

export interface Expiry {
  readonly limit: number;
  readonly now: number;
  /** Owners whose jobs stay with them. */
  readonly spare: (owner: string) => boolean;
}

/** Takes up to `limit` jobs from owners that are gone, one owner after the other. */
export function expireOwners(ledger: Ledger, { limit, now, spare }: Expiry): Expired {
  const found: Expired = { requeued: [], failed: [] };
  let left = limit;
  let owner = '';
  while (left > 0) {
    const next = ledger.sql.row('nextOwner', owner);
    if (!next) break;
    owner = next[0] as string;
    if (spare(owner)) continue;
    const ids = ledger.sql.rows('ownedBy', owner, left);
    for (const [id] of ids) expireJob(ledger, id as JobId, now, found);
    left -= ids.length;
  }
  return found;
}

function expireJob(ledger: Ledger, id: JobId, now: number, found: Expired): void {
  const held = ledger.load(id, now);
  const step = expire(held.record, ledger.moment(now));
  ledger.save(held, step.record);
  if (step.answer === 'requeued') found.requeued.push(...liveCells(step.record.live!));
  if (step.answer === 'failed') found.failed.push(...resultCells(step.record.result!));
}

/** The oldest first, whatever their class. */
function findForgotten(ledger: Ledger, before: number, limit: number): Cell[] {
  const rows = COST_CLASSES.flatMap((each) => ledger.liveRows('queuedBefore', each, before, limit));
  const queuedAt = (row: readonly Cell[]): number => row[LIVE_CELLS - 1] as number;
  return rows
    .sort((a, b) => queuedAt(a) - queuedAt(b))
    .slice(0, limit)
    .flat();
}

function deleteExpired(ledger: Ledger, now: number, limit: number): number {
  const rows = ledger.sql.rows('expired', now, limit) as [number, JobId][];
  for (const [seq, id] of rows) {
    ledger.sql.run('deleteResult', seq);
    ledger.index.remove(id, seq);
  }
  return rows.length;
}
