import { checksumOf } from '../../../jobs/checksum.ts';
import type { JobFacts, JobId } from '../../../jobs/job.ts';
import { DONE, LIVE_CELLS, RESULT_CELLS } from './cells.ts';
import type { Cell } from './protocol.ts';

/** Rows that are not what was written. Nothing may be done by them: they are repaired first. */
export class DamagedRowsError extends Error {
  override readonly name = 'DamagedRowsError';
  readonly ids: readonly JobId[];

  constructor(ids: readonly JobId[]) {
    super(`${ids.length} rows are damaged, the first is of job ${ids[0]}`);
    this.ids = ids;
  }
}

function factsOf(cells: readonly Cell[]): JobFacts {
  const [id, tenant, chain, iterations] = cells as [string, string, string, number];
  return { id, tenant, chain, iterations };
}

/** The check value of a live job, to be stored beside it. */
export function liveChecksum(cells: readonly Cell[]): number {
  return checksumOf(factsOf(cells), { position: cells[4] as number, digest: cells[5] as string });
}

/** That of a result: of its digest, or of the point where it was cancelled or failed. Null where there is none. */
export function resultChecksum(cells: readonly Cell[]): number | null {
  const [position, digest] = cells[5] === DONE ? [cells[3], cells[4]] : [cells[13], cells[14]];
  if (position === null) return null;
  return checksumOf(factsOf(cells), { position: position as number, digest: digest as string });
}

/** Rows of an earlier version have no check value: they are believed. */
export function isDamagedLive(row: readonly Cell[]): boolean {
  const stored = row[LIVE_CELLS] ?? null;
  return stored !== null && stored !== liveChecksum(row);
}

export function isDamagedResult(row: readonly Cell[]): boolean {
  const stored = row[RESULT_CELLS] ?? null;
  return stored !== null && stored !== resultChecksum(row);
}
