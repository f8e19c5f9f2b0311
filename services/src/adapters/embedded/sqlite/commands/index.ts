import type { Ledger } from '../ledger.ts';
import type { Cell, Operation } from '../protocol.ts';
import { backlog } from './backlog.ts';
import { cancelBatch, getBatch } from './cancel.ts';
import { claimIds, claimOldest, owned } from './claim.ts';
import { list } from './list.ts';
import { checkpointBatch, completeBatch, releaseBatch } from './progress.ts';
import { submitBatch } from './submit.ts';
import { renew, sweep } from './sweep.ts';

/** Carries out one command inside a transaction, and says what to answer once that is durable. */
export type Execute = (ledger: Ledger, cells: readonly Cell[], now: number) => Cell[];

export const COMMANDS: Readonly<Record<Operation, Execute>> = {
  submit: submitBatch,
  get: getBatch,
  list,
  claimIds,
  claimOldest,
  checkpoint: checkpointBatch,
  complete: completeBatch,
  release: releaseBatch,
  owned,
  renew,
  sweep,
  cancel: cancelBatch,
  backlog,
};
