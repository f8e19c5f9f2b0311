import type { CostClass } from '../../../../jobs/job.ts';
import { CellReader } from '../cells.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/** Cells: worker, then ids. Answers with the rows that were had. */
export function claimIds(ledger: Ledger, cells: readonly Cell[]): Cell[] {
  const [worker, ...ids] = cells as string[];
  const rows: Cell[][] = [];
  for (const id of ids) {
    rows.push(...ledger.liveRows('claimId', id, worker!));
  }
  return taken(ledger, rows);
}

/** Cells: worker, class, limit. Answers with the rows, the oldest first. */
export function claimOldest(ledger: Ledger, cells: readonly Cell[]): Cell[] {
  const reader = new CellReader(cells);
  const worker = reader.text();
  const rows = ledger.liveRows('claimOldest', worker, reader.number(), reader.number());
  return taken(
    ledger,
    rows.sort((a, b) => queuedAt(a) - queuedAt(b)),
  );
}

/** Cells: worker, limit. Answers with the rows that it holds. */
export function owned(ledger: Ledger, cells: readonly Cell[]): Cell[] {
  const [worker, limit] = cells as [string, number];
  return ledger.liveRows('owned', worker, limit).flat();
}

function queuedAt(row: readonly Cell[]): number {
  return row[10] as number;
}

function taken(ledger: Ledger, rows: readonly Cell[][]): Cell[] {
  const answer: Cell[] = [];
  for (const row of rows) {
    const [, , , iterations, position, , costClass] = row;
    ledger.tally.take(costClass as CostClass, (iterations as number) - (position as number));
    for (const cell of row) answer.push(cell);
  }
  return answer;
}
