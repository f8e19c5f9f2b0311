import { viewOf } from '../../../../jobs/job.ts';
import { cancel } from '../../../../jobs/machine.ts';
import { viewCells } from '../cells.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/** Cells: tenant, then ids. Answers with a view of each. */
export function getBatch(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const [tenant, ...ids] = cells as string[];
  return ids.flatMap((id) => {
    const { record } = ledger.load(id, now);
    return (record.live ?? record.result)?.tenant === tenant ? viewCells(viewOf(record)) : [null];
  });
}

/** Cells: tenant, then ids. Answers with a view of each, followed by whether it was cancelled now (1) or not (0). */
export function cancelBatch(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const [tenant, ...ids] = cells as string[];
  return ids.flatMap((id) => {
    const held = ledger.load(id, now);
    if ((held.record.live ?? held.record.result)?.tenant !== tenant) return [null];
    const step = cancel(held.record, ledger.moment(now));
    ledger.save(held, step.record);
    return [...viewCells(viewOf(step.record)), Number(step.answer)];
  });
}
