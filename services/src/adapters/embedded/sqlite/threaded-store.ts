import type { JobId, JobView, LiveJob } from '../../../jobs/job.ts';
import type { CheckpointAnswer, CompleteAnswer, Completion } from '../../../jobs/machine.ts';
import type * as port from '../../../ports/job-store.ts';
import { readBacklog, readPage, readSubmitted, readSweep } from './answers.ts';
import type { CellReader } from './cells.ts';
import { readCursor } from '../../../ports/job-store-cursor.ts';
import type { Cell } from './protocol.ts';
import type { StoreThread } from './store-thread.ts';

/** Jobs in one answer of `owned`, as the port has it. */
const OWNED_MOST = 10_000;

/** The port, spoken through the thread: what is asked goes over as cells, what comes back is made into objects here. */
export class ThreadedStore implements port.JobStore {
  readonly #thread: StoreThread;
  readonly #retentionMs: number;

  constructor(thread: StoreThread, retentionMs: number) {
    this.#thread = thread;
    this.#retentionMs = retentionMs;
  }

  start(): Promise<void> {
    return this.#thread.start();
  }

  stop(): Promise<void> {
    return this.#thread.stop();
  }

  /** Whether the file is open, be it only for reading; false: a new start is needed. */
  isOpen(): boolean {
    return this.#thread.isOpen();
  }

  trouble(): string | null {
    return this.#thread.trouble();
  }

  now(): number {
    return this.#thread.now();
  }

  clockTrouble(): string | null {
    return this.#thread.clockTrouble();
  }

  submit(batch: readonly port.Submission[]): Promise<port.Submitted[]> {
    const cells: Cell[] = [];
    for (const { id, tenant, chain, iterations, computed } of batch) {
      cells.push(id, tenant, chain, iterations, computed?.digest ?? null);
    }
    const read = (reader: CellReader, now: number): port.Submitted[] =>
      batch.map((submission) => readSubmitted(reader, submission, { now, retentionMs: this.#retentionMs }));
    return this.#thread.call({ operation: 'submit', cells, items: batch.length, read });
  }

  get(tenant: string, ids: readonly JobId[]): Promise<(JobView | null)[]> {
    const read = (reader: CellReader): (JobView | null)[] => reader.all(() => reader.view());
    return this.#thread.call({ operation: 'get', cells: [tenant, ...ids], items: ids.length, read });
  }

  async list({ tenant, state, cursor, limit }: port.ListQuery): Promise<port.Page> {
    const place = readCursor(cursor, state);
    const at =
      place.part === 'live' ? ['live', place.id, place.since] : ['results', place.finishedAt, place.id];
    const read = (reader: CellReader, now: number): port.Page => {
      const since = place.part === 'live' ? (place.since ?? now) : null;
      return readPage(reader, limit, state === null ? since : null);
    };
    const cells = [tenant, state, limit + 1, ...at];
    return this.#thread.call({ operation: 'list', cells, items: limit, read });
  }

  claim(worker: string, wish: port.ClaimWish): Promise<LiveJob[]> {
    const read = (reader: CellReader): LiveJob[] => reader.all(() => reader.live());
    if ('ids' in wish) {
      const items = wish.ids.length;
      return this.#thread.call({ operation: 'claimIds', cells: [worker, ...wish.ids], items, read });
    }
    const limit = Math.max(0, wish.limit);
    const cells = [worker, wish.class, limit];
    return this.#thread.call({ operation: 'claimOldest', cells, items: limit, read });
  }

  checkpoint(worker: string, batch: readonly port.Checkpoint[]): Promise<CheckpointAnswer[]> {
    const read = (reader: CellReader): CheckpointAnswer[] =>
      reader.all(() => reader.text() as CheckpointAnswer);
    const cells = pointCells(worker, batch);
    return this.#thread.call({ operation: 'checkpoint', cells, items: batch.length, read });
  }

  complete(batch: readonly Completion[]): Promise<CompleteAnswer[]> {
    const cells: Cell[] = [];
    for (const { id, tenant, chain, iterations, digest, computed, worker, createdAt, startedAt } of batch) {
      cells.push(id, tenant, chain, iterations, digest, computed, worker, createdAt, startedAt);
    }
    const read = (reader: CellReader): CompleteAnswer[] => reader.all(() => reader.text() as CompleteAnswer);
    return this.#thread.call({ operation: 'complete', cells, items: batch.length, read });
  }

  release(worker: string, batch: readonly port.Checkpoint[]): Promise<boolean[]> {
    const read = (reader: CellReader): boolean[] => reader.all(() => reader.number() === 1);
    const cells = pointCells(worker, batch);
    return this.#thread.call({ operation: 'release', cells, items: batch.length, read });
  }

  owned(worker: string): Promise<LiveJob[]> {
    const read = (reader: CellReader): LiveJob[] => reader.all(() => reader.live());
    return this.#thread.call({ operation: 'owned', cells: [worker, OWNED_MOST], items: 1, read });
  }

  renew(worker: string, leaseMs: number): Promise<void> {
    return this.#thread.call({
      operation: 'renew',
      cells: [worker, Math.floor(leaseMs)],
      items: 1,
      read: () => undefined,
    });
  }

  sweep({ forgottenAfterMs, limit }: port.SweepOptions): Promise<port.Sweep> {
    return this.#thread.call({
      operation: 'sweep',
      cells: [forgottenAfterMs, limit],
      items: limit,
      read: (reader) => {
        const found = readSweep(reader);
        this.#thread.noteNextExpiry(reader.cell() as number | null);
        return found;
      },
    });
  }

  cancel(tenant: string, ids: readonly JobId[]): ReturnType<port.JobStore['cancel']> {
    const read = (reader: CellReader) =>
      ids.map(() => {
        const view = reader.view();
        return view && { view, cancelled: reader.number() === 1 };
      });
    return this.#thread.call({ operation: 'cancel', cells: [tenant, ...ids], items: ids.length, read });
  }

  backlog(): Promise<port.Backlog> {
    return this.#thread.call({ operation: 'backlog', cells: [], items: 1, read: readBacklog });
  }
}

function pointCells(worker: string, batch: readonly port.Checkpoint[]): Cell[] {
  const cells: Cell[] = [worker];
  for (const { id, position, digest } of batch) cells.push(id, position, digest);
  return cells;
}
