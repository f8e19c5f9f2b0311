import type { CostClass, JobResult, JobView, LiveJob, Outcome } from '../../../jobs/job.ts';
import type { Cell } from './protocol.ts';

/** The order of cells of a live job: that of the columns in `statements.ts`. */
export const LIVE_CELLS = 11;
/** The order of cells of a result, likewise. */
export const RESULT_CELLS = 15;

/** Outcomes as they are stored: by their place here. */
export const OUTCOMES: readonly Outcome[] = ['done', 'cancelled', 'failed'];
export const DONE = 0;

export function liveCells(job: LiveJob): Cell[] {
  const { id, tenant, chain, iterations, position, digest, owner, attempts, createdAt, queuedAt } = job;
  return [id, tenant, chain, iterations, position, digest, job.class, owner, attempts, createdAt, queuedAt];
}

export function liveOf(cells: readonly Cell[], at = 0): LiveJob {
  return {
    id: cells[at] as string,
    tenant: cells[at + 1] as string,
    chain: cells[at + 2] as string,
    iterations: cells[at + 3] as number,
    position: cells[at + 4] as number,
    digest: cells[at + 5] as string,
    class: cells[at + 6] as CostClass,
    owner: cells[at + 7] as string | null,
    attempts: cells[at + 8] as number,
    createdAt: cells[at + 9] as number,
    queuedAt: cells[at + 10] as number,
  };
}

export function resultCells(result: JobResult): Cell[] {
  const { id, tenant, chain, iterations, digest, outcome, reason, computed, worker } = result;
  const { createdAt, startedAt, finishedAt, expiresAt } = result;
  const what = [id, tenant, chain, iterations, digest, OUTCOMES.indexOf(outcome), reason, computed, worker];
  const { position = null, digest: at = null } = result.point ?? {};
  return [...what, createdAt, startedAt, finishedAt, expiresAt, position, at];
}

export function resultOf(cells: readonly Cell[], at = 0): JobResult {
  const result = plainResultOf(cells, at);
  const position = cells[at + 13] as number | null;
  return position === null ? result : { ...result, point: { position, digest: cells[at + 14] as string } };
}

function plainResultOf(cells: readonly Cell[], at: number): JobResult {
  return {
    id: cells[at] as string,
    tenant: cells[at + 1] as string,
    chain: cells[at + 2] as string,
    iterations: cells[at + 3] as number,
    digest: cells[at + 4] as string | null,
    outcome: OUTCOMES[cells[at + 5] as number]!,
    reason: cells[at + 6] as string | null,
    computed: cells[at + 7] as number,
    worker: cells[at + 8] as string | null,
    createdAt: cells[at + 9] as number,
    startedAt: cells[at + 10] as number | null,
    finishedAt: cells[at + 11] as number,
    expiresAt: cells[at + 12] as number,
  };
}

/** A view is its kind, then its row; nothing at all is one null. */
export function viewCells(view: JobView | null): Cell[] {
  if (!view) return [null];
  return view.kind === 'live' ? ['live', ...liveCells(view.job)] : ['result', ...resultCells(view.result)];
}

/** Reads cells from the front. */
export class CellReader {
  readonly #cells: readonly Cell[];
  #at = 0;

  constructor(cells: readonly Cell[]) {
    this.#cells = cells;
  }

  get done(): boolean {
    return this.#at >= this.#cells.length;
  }

  text(): string {
    return this.#cells[this.#at++] as string;
  }

  number(): number {
    return this.#cells[this.#at++] as number;
  }

  cell(): Cell {
    return this.#cells[this.#at++] ?? null;
  }

  live(): LiveJob {
    this.#at += LIVE_CELLS;
    return liveOf(this.#cells, this.#at - LIVE_CELLS);
  }

  result(): JobResult {
    this.#at += RESULT_CELLS;
    return resultOf(this.#cells, this.#at - RESULT_CELLS);
  }

  view(): JobView | null {
    const kind = this.cell();
    if (kind === null) return null;
    return kind === 'live' ? { kind, job: this.live() } : { kind: 'result', result: this.result() };
  }

  /** Whatever `read` reads, until the cells are used up. */
  all<T>(read: (reader: this) => T): T[] {
    const found: T[] = [];
    while (!this.done) found.push(read(this));
    return found;
  }
}
