import { costClassOf } from '../../../../jobs/cost.ts';
import type { ChainPoint, Digest, JobFacts, JobRecord, LiveJob } from '../../../../jobs/job.ts';
import * as machine from '../../../../jobs/machine.ts';
import { submit, used, type Moment } from '../../../../jobs/machine.ts';
import { CellReader, DONE, liveCells, resultCells } from '../cells.ts';
import type { Ledger } from '../ledger.ts';
import type { Cell } from '../protocol.ts';

/**
 * Cells: id, tenant, chain, iterations, and the digest when it is known, of each submission. Where the caller can tell
 * what the row looks like, the answer is one word: `created` (from position 1), `brought`.
 */
export function submitBatch(ledger: Ledger, cells: readonly Cell[], now: number): Cell[] {
  const reader = new CellReader(cells);
  const answer: Cell[] = [];
  while (!reader.done) {
    const id = reader.text();
    const facts = { id, tenant: reader.text(), chain: reader.text(), iterations: reader.number() };
    const digest = reader.cell() as Digest | null;
    const word = ledger.index.mayHave(id) ? null : submitNew(ledger, facts, digest, now);
    if (word) answer.push(word);
    else answer.push(...submitKnown(ledger, facts, digest, now));
  }
  return answer;
}

/** The common case: the id has no result. Null when it is not that simple; then nothing has happened. */
function submitNew(ledger: Ledger, facts: JobFacts, digest: Digest | null, now: number): string | null {
  const { id, tenant, chain, iterations } = facts;
  if (digest !== null) {
    const { retentionMs } = ledger.moment(now);
    const what = [id, tenant, chain, iterations, digest, DONE, null, iterations - 1, null];
    ledger.addResult([...what, now, null, now, now + retentionMs, null, null]);
    ledger.dropLive(id);
    return 'brought';
  }
  if (ledger.longestKnown(facts, now)) return null;
  const costClass = costClassOf(iterations - 1);
  const cells = [id, tenant, chain, iterations, 1, chain, costClass, null, 0, now, now];
  return ledger.addLive(cells) ? 'created' : null;
}

/** Every case, by the state machine. */
function submitKnown(ledger: Ledger, facts: JobFacts, digest: Digest | null, now: number): Cell[] {
  const held = ledger.load(facts.id, now);
  const moment = ledger.moment(now);
  const open = held.record.live === null && held.record.result?.outcome !== 'done';
  const known = digest === null && open ? ledger.longestKnown(facts, now) : null;
  const step =
    digest !== null
      ? bring(held.record, facts, { digest, computed: facts.iterations - 1, moment })
      : known?.position === facts.iterations
        ? bring(held.record, facts, { digest: known.digest, computed: 0, moment })
        : submit(held.record, facts, known, moment);
  ledger.save(held, step.record);
  const { live, result } = step.record;
  switch (step.answer) {
    case 'created':
      return ['started', ...pointCells(live!)];
    case 'joined':
      return ['joined', ...liveCells(live as LiveJob)];
    case 'stored':
      return digest === null ? ['known', ...resultCells(result!)] : ['brought'];
    default:
      return [step.answer, ...resultCells(result!)];
  }
}

function pointCells({ position, digest }: ChainPoint): Cell[] {
  return [position, digest];
}

interface Brought {
  readonly digest: Digest;
  readonly computed: number;
  readonly moment: Moment;
}

/** A submission whose digest is known: a completion by nobody, and a use of the result when that is there already. */
function bring(record: JobRecord, facts: JobFacts, { digest, computed, moment }: Brought) {
  const done = { ...facts, digest, computed, worker: null, createdAt: moment.now, startedAt: null };
  const step = machine.bring(record, done, moment);
  if (step.answer !== 'known') return step;
  return { ...step, record: { ...step.record, result: used(step.record.result!, moment) } };
}
