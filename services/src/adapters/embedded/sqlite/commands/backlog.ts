import { COST_CLASSES } from '../../../../jobs/cost.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/** Answers with running, then jobs, iterations left and the oldest `queuedAt` of each class. */
export function backlog(ledger: Ledger): Cell[] {
  const queued = COST_CLASSES.flatMap((each) => {
    const { jobs, iterations } = ledger.tally.queued(each);
    return [jobs, iterations, ledger.sql.row('oldestQueued', each)?.[0] ?? null];
  });
  return [ledger.tally.running, ...queued];
}
