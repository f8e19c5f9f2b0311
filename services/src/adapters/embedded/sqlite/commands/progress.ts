import type { ChainPoint } from '../../../../jobs/job.ts';
import { checkpoint, complete, release } from '../../../../jobs/machine.ts';
import { CellReader, DONE } from '../cells.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/** Cells: worker, then id, position and digest of each. Answers with `CheckpointAnswer`s. */
export function checkpointBatch(ledger: Ledger, cells: readonly Cell[]): Cell[] {
  const reader = new CellReader(cells);
  const worker = reader.text();
  return reader.all(() => {
    const live = ledger.findLive(reader.text());
    const step = checkpoint({ live, result: null }, worker, readPoint(reader));
    ledger.saveLive(live, step.record.live);
    return step.answer;
  });
}

/** Cells as of a checkpoint. Answers with 1 where the job was the worker's own, else 0. */
export function releaseBatch(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const reader = new CellReader(cells);
  const worker = reader.text();
  return reader.all(() => {
    const live = ledger.findLive(reader.text());
    const step = release({ live, result: null }, worker, readPoint(reader), now);
    ledger.saveLive(live, step.record.live);
    return Number(step.answer);
  });
}

function readPoint(reader: CellReader): ChainPoint {
  return { position: reader.number(), digest: reader.text() };
}

/**
 * Cells: id, tenant, chain, iterations, digest, computed, worker, createdAt, startedAt, of each. Answers with
 * `CompleteAnswer`s.
 */
export function completeBatch(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const reader = new CellReader(cells);
  const moment = ledger.moment(now);
  return reader.all(() => {
    const facts = {
      id: reader.text(),
      tenant: reader.text(),
      chain: reader.text(),
      iterations: reader.number(),
    };
    const work = { digest: reader.text(), computed: reader.number(), worker: reader.cell() as string | null };
    const times = { createdAt: reader.number(), startedAt: reader.cell() as number | null };
    if (ledger.index.mayHave(facts.id)) {
      const held = ledger.load(facts.id, now);
      const step = complete(held.record, { ...facts, ...work, ...times }, moment);
      ledger.save(held, step.record);
      return step.answer;
    }
    const { id, tenant, chain, iterations } = facts;
    const what = [id, tenant, chain, iterations, work.digest, DONE, null, work.computed, work.worker];
    const { createdAt, startedAt } = times;
    ledger.addResult([...what, createdAt, startedAt, now, now + moment.retentionMs, null, null]);
    ledger.dropLive(id);
    return 'stored';
  });
}
