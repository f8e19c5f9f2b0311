import { recomputed, restarted, unrecoverable } from '../../../jobs/checksum.ts';
import type { JobId } from '../../../jobs/job.ts';
import type { DamagedFact } from '../../../ports/job-store.ts';
import { liveCells, liveOf, RESULT_CELLS, resultCells, resultOf } from './cells.ts';
import type { Ledger } from './ledger.ts';
import type { Cell } from './protocol.ts';
import { DamagedRowsError, isDamagedLive, isDamagedResult } from './row-checks.ts';

/** Jobs repaired before a command fails after all. */
const MOST_ROUNDS = 1_000;

/** Does `work` in one transaction, again when it came upon damaged rows, which are repaired in between. */
export function transactRepairing<T>(ledger: Ledger, now: number, work: () => T): T {
  for (let round = 0; ; round++) {
    try {
      return ledger.transact(work);
    } catch (error) {
      if (!(error instanceof DamagedRowsError) || round === MOST_ROUNDS) throw error;
      ledger.found.push(...ledger.transact(() => error.ids.flatMap((id) => repair(ledger, id, now))));
    }
  }
}

/** What is damaged of a job goes. The job is computed again where it is known what it is; otherwise it has failed. */
function repair(ledger: Ledger, id: JobId, now: number): DamagedFact[] {
  return [...repairLive(ledger, id, now), ...repairResult(ledger, id, now)];
}

function repairLive(ledger: Ledger, id: JobId, now: number): DamagedFact[] {
  const row = ledger.sql.row('findLive', id);
  if (!row || !isDamagedLive(row)) return [];
  const before = liveOf(row);
  const after = restarted(before);
  ledger.saveLive(before, after);
  if (!after) putResult(ledger, id, resultCells(unrecoverable(before, ledger.moment(now))));
  return [{ job: id, what: 'checkpoint', position: before.position, recomputed: after !== null }];
}

function repairResult(ledger: Ledger, id: JobId, now: number): DamagedFact[] {
  const row = ledger.findResult(id);
  if (!row || !isDamagedResult(row)) return [];
  const result = resultOf(row);
  if (result.outcome !== 'done') {
    const { point, ...rest } = result;
    putResult(ledger, id, resultCells(rest));
    return [{ job: id, what: 'checkpoint', position: point?.position ?? 1, recomputed: true }];
  }
  const job = recomputed(result, { now });
  if (job) {
    const seq = row[RESULT_CELLS + 1] as number;
    ledger.sql.run('deleteResult', seq);
    ledger.index.remove(id, seq);
    ledger.addLive(liveCells(job));
  } else putResult(ledger, id, resultCells(unrecoverable(result, ledger.moment(now))));
  return [{ job: id, what: 'result', position: result.iterations, recomputed: job !== null }];
}

function putResult(ledger: Ledger, id: JobId, cells: readonly Cell[]): void {
  const row = ledger.findResult(id);
  if (row) ledger.replaceResult(row[RESULT_CELLS + 1] as number, cells);
  else ledger.addResult(cells);
}
