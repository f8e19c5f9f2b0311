import type { ChainPoint, CostClass, JobId, LiveJob } from '../jobs/job.ts';
import type { Checkpoint } from '../ports/job-store.ts';

/** A job in this worker's hands. */
export interface HeldJob extends ChainPoint {
  readonly job: LiveJob;
  /** When this worker claimed it: milliseconds since 1970 by the store's clock, for people to read. */
  readonly startedAt: number;
  /** The same by the monotonic clock, for durations. */
  readonly claimedAt: number;
  /** The last position that the store has, and when it was written by the monotonic clock. */
  readonly saved: { readonly position: number; readonly at: number };
}

/** When something happens: by the monotonic clock, for durations, and by the store's, for people to read. */
export interface ClaimTime {
  readonly monotonic: number;
  readonly store: number;
}

/** What this worker holds, and how much work that is. Everything a worker must not forget is here. */
export class HeldJobs {
  readonly #jobs = new Map<JobId, HeldJob>();
  readonly #left: Record<CostClass, number> = { 0: 0, 1: 0, 2: 0, 3: 0 };
  readonly #moved = new Set<JobId>();

  get size(): number {
    return this.#jobs.size;
  }

  has(id: JobId): boolean {
    return this.#jobs.has(id);
  }

  ids(): JobId[] {
    return [...this.#jobs.keys()];
  }

  get(id: JobId): HeldJob | null {
    return this.#jobs.get(id) ?? null;
  }

  /** The job that is held for the longest. */
  oldest(): HeldJob | null {
    return this.#jobs.values().next().value ?? null;
  }

  /** Iterations left, by class. */
  iterationsLeft(): Readonly<Record<CostClass, number>> {
    return this.#left;
  }

  add(job: LiveJob, { monotonic, store }: ClaimTime): void {
    const { position, digest } = job;
    const times = { startedAt: store, claimedAt: monotonic, saved: { position, at: monotonic } };
    this.#jobs.set(job.id, { job, position, digest, ...times });
    this.#left[job.class] += job.iterations - position;
  }

  /** The job has come this far. Unknown jobs are ignored: they were dropped meanwhile. */
  move(id: JobId, point: ChainPoint): void {
    const held = this.#jobs.get(id);
    if (!held) return;
    this.#left[held.job.class] -= point.position - held.position;
    this.#jobs.set(id, { ...held, ...point });
    this.#moved.add(id);
  }

  /** Takes a job out of the hands. */
  take(id: JobId): HeldJob | null {
    const held = this.#jobs.get(id);
    if (!held) return null;
    this.#jobs.delete(id);
    this.#moved.delete(id);
    this.#left[held.job.class] -= held.job.iterations - held.position;
    return held;
  }

  /** Checkpoints worth writing: of jobs that moved, and were last saved at least `minAgeMs` ago. `now`: by the monotonic clock. */
  unsaved(now: number, minAgeMs: number): Checkpoint[] {
    const due: Checkpoint[] = [];
    for (const { job, position, digest, saved } of this.#jobs.values()) {
      if (position > saved.position && now - saved.at >= minAgeMs) due.push({ id: job.id, position, digest });
    }
    return due;
  }

  /** Where every job stands. */
  points(): Checkpoint[] {
    return [...this.#jobs.values()].map(({ job, position, digest }) => ({ id: job.id, position, digest }));
  }

  /** The store has this checkpoint. `now`: by the monotonic clock. */
  markSaved(checkpoint: Checkpoint, now: number): void {
    const held = this.#jobs.get(checkpoint.id);
    if (held) this.#jobs.set(checkpoint.id, { ...held, saved: { position: checkpoint.position, at: now } });
  }

  /** Jobs that moved since the last call, at most `limit` of them; the rest is told next time. */
  takeMoved(limit: number): HeldJob[] {
    const ids = [...this.#moved].slice(0, limit);
    for (const id of ids) this.#moved.delete(id);
    return ids.map((id) => this.#jobs.get(id)!);
  }

  /** The jobs with the most work left, which would run last here. */
  longest(count: number): JobId[] {
    const left = ({ job, position }: HeldJob): number => job.iterations - position;
    const sorted = [...this.#jobs.values()].sort((a, b) => left(b) - left(a));
    return sorted.slice(0, count).map(({ job }) => job.id);
  }
}
