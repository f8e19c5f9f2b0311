import type { JobId } from '../../jobs/job.ts';
import type { Alive } from '../../jobs/messages.ts';
import type { Clock } from '../../ports/clock.ts';

/** `left`: it has drained and ended in good order; `dead`: it fell silent otherwise. */
export const WORKER_STATES = ['live', 'draining', 'left', 'dead'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** What is known of a worker. */
export interface WorkerRow {
  readonly alive: Alive;
  readonly state: WorkerState;
  /** When it was last heard: milliseconds since 1970 by this endpoint's clock. */
  readonly lastSeen: number;
  /** Milliseconds since its last heartbeat, by the monotonic clock. */
  readonly silentMs: number;
}

/** How far a worker says a job is. */
export interface JobProgress {
  readonly position: number;
  /** Iterations per second; null until two messages have told. */
  readonly rate: number | null;
}

/** Sums over the workers that are there: neither dead nor left. */
export interface WorkerTotals {
  readonly live: number;
  readonly draining: number;
  readonly engines: number;
  readonly lanes: number;
  readonly freeLanes: number;
  readonly rate: number;
  readonly capacity: number;
  /** Iterations of work that the workers hold, as they say. */
  readonly held: number;
}

interface Row {
  readonly alive: Alive;
  readonly heardAt: number;
  /** When the process started that had the name before. Its late messages say nothing new. */
  readonly previousStart: number | null;
  reportedDead: boolean;
}

interface Position {
  readonly position: number;
  /** Who said it. */
  readonly worker: string;
  readonly startedAt: number;
  /** By the worker's clock. */
  readonly at: number;
  readonly heardAt: number;
  readonly rate: number | null;
}

export interface WorkersTableOptions {
  readonly clock: Clock;
  /** A worker that has been silent for this long is dead. */
  readonly deadAfterMs: number;
}

/** A worker that is dead or has left is shown for this long; a rate is believed for this long. */
const FORGET_AFTER_MS = 60_000;
const RATE_VALID_MS = 10_000;
const MAX_WORKERS = 10_000;
const MAX_POSITIONS = 100_000;

/** The workers, by what they say of themselves. Nothing here is the truth about a job: the store's position may be ahead. */
export class WorkersTable {
  readonly #options: WorkersTableOptions;
  readonly #rows = new Map<string, Row>();
  readonly #positions = new Map<JobId, Position>();

  constructor(options: WorkersTableOptions) {
    this.#options = options;
  }

  /** Takes a message in. One that is older than what is known already says nothing new. */
  heard(alive: Alive): void {
    const heardAt = this.#options.clock.monotonic();
    const row = this.#rows.get(alive.worker);
    if (row && !isNews(alive, row)) return;
    if (!row && this.#rows.size >= MAX_WORKERS) return;
    const isSameProcess = row?.alive.startedAt === alive.startedAt;
    const previousStart = isSameProcess ? row.previousStart : (row?.alive.startedAt ?? null);
    this.#rows.set(alive.worker, { alive, heardAt, previousStart, reportedDead: false });
    for (const { id, position } of alive.positions) this.#move(id, position, { alive, heardAt });
  }

  /** Jobs that have ended do not move any more. */
  ended(ids: readonly JobId[]): void {
    if (this.#positions.size > 0) for (const id of ids) this.#positions.delete(id);
  }

  /** Where a job stands by its worker's last word; null when it has said nothing. */
  progressOf(id: JobId): JobProgress | null {
    const known = this.#positions.get(id);
    if (!known) return null;
    const fresh = this.#options.clock.monotonic() - known.heardAt < RATE_VALID_MS;
    return { position: known.position, rate: fresh ? known.rate : null };
  }

  /** Workers found dead since the last call. Forgets those that have been dead or gone for long. */
  newlyDead(): string[] {
    const now = this.#options.clock.monotonic();
    const dead: string[] = [];
    for (const [worker, row] of this.#rows) {
      const silence = now - row.heardAt;
      if (silence < this.#options.deadAfterMs) continue;
      if (this.#stateOf(row, now) === 'dead' && !row.reportedDead) dead.push(worker);
      row.reportedDead = true;
      if (silence >= this.#options.deadAfterMs + FORGET_AFTER_MS) this.#rows.delete(worker);
    }
    return dead;
  }

  /** Every worker there is or lately was, by name. */
  rows(): WorkerRow[] {
    const { clock } = this.#options;
    const now = clock.monotonic();
    return [...this.#rows.values()]
      .map((row) => ({
        alive: row.alive,
        state: this.#stateOf(row, now),
        lastSeen: Math.round(clock.now() - (now - row.heardAt)),
        silentMs: now - row.heardAt,
      }))
      .sort((a, b) => (a.alive.worker < b.alive.worker ? -1 : 1));
  }

  totals(): WorkerTotals {
    const total = { live: 0, draining: 0, engines: 0, lanes: 0, freeLanes: 0, rate: 0, capacity: 0, held: 0 };
    for (const { alive, state } of this.rows()) {
      if (state === 'dead' || state === 'left') continue;
      total[state]++;
      total.engines += alive.engines;
      total.lanes += alive.lanes;
      total.freeLanes += alive.freeLanes;
      total.rate += alive.rate;
      total.capacity += alive.capacity;
      total.held += alive.backlogSeconds * alive.capacity;
    }
    return total;
  }

  #stateOf(row: Row, now: number): WorkerState {
    const { left, draining, jobs } = row.alive;
    if (left) return 'left';
    // An older worker does not say that it has left: it falls silent with nothing in its hands.
    if (now - row.heardAt >= this.#options.deadAfterMs) return draining && jobs === 0 ? 'left' : 'dead';
    return draining ? 'draining' : 'live';
  }

  #move(id: JobId, position: number, { alive, heardAt }: Pick<Row, 'alive' | 'heardAt'>): void {
    const before = this.#positions.get(id);
    // The largest position is true, whoever said it; a worker that took the job over may still be behind.
    if (before && position < before.position) return;
    const { worker, startedAt } = alive;
    const at = workerTime(alive);
    // Clocks of two processes have nothing to do with each other.
    const isComparable = before?.worker === worker && before.startedAt === startedAt;
    const seconds = isComparable ? (at - before.at) / 1000 : 0;
    const rate = seconds > 0 ? (position - before!.position) / seconds : null;
    this.#positions.delete(id);
    this.#positions.set(id, { position, worker, startedAt, at, heardAt, rate });
    if (this.#positions.size > MAX_POSITIONS) this.#positions.delete(this.#positions.keys().next().value!);
  }
}

/** Whether a message says something new. Only messages of one process are compared by its clock. */
function isNews(alive: Alive, { alive: known, previousStart }: Row): boolean {
  if (alive.startedAt === known.startedAt) return workerTime(alive) > workerTime(known);
  return alive.startedAt !== previousStart;
}

/** Orders the messages of one process: by its monotonic clock, or by the wall clock of an older worker. */
function workerTime({ uptimeMs, at }: Alive): number {
  return uptimeMs ?? at;
}
