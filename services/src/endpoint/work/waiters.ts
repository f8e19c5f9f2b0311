import type { JobId, JobView } from '../../jobs/job.ts';
import type { Lookups } from './lookups.ts';
import type { Watcher, Watchers } from './watchers.ts';

/** Why a wait is over. */
export type WaitEnd = 'ended' | 'time' | 'gone' | 'released';

/** A client that waits for some jobs to end. */
export interface Wait {
  /** Nobody has to wait for this one (any more). */
  forget(id: JobId): void;
  /** Resolves when all jobs have ended, after so many milliseconds, when `gone` aborts, or when waits are released. */
  until(ms: number, gone: AbortSignal): Promise<WaitEnd>;
  /** How the jobs ended, as far as they have. */
  readonly ended: ReadonlyMap<JobId, JobView>;
  /** Must be called. Idempotent. */
  close(): void;
}

/** Lets clients wait for jobs to end. Whoever begins to wait before looking misses nothing. */
export class Waiters {
  readonly #watchers: Watchers;
  readonly #lookups: Lookups;
  readonly #waits = new Set<WaitForJobs>();
  #released = false;

  constructor(watchers: Watchers, lookups: Lookups) {
    this.#watchers = watchers;
    this.#lookups = lookups;
  }

  /** Begins to wait; null when too many wait already: the client then has to come again. */
  begin(tenant: string, ids: readonly JobId[]): Wait | null {
    if (this.#released || !this.#watchers.hasRoomFor(ids.length)) return null;
    const onClose = (self: WaitForJobs): void => void this.#waits.delete(self);
    const wait = new WaitForJobs({ watchers: this.#watchers, lookups: this.#lookups, tenant, ids, onClose });
    this.#waits.add(wait);
    return wait;
  }

  /** Everybody is answered with what is known now, and nobody may wait any more. */
  release(): void {
    this.#released = true;
    for (const wait of this.#waits) wait.finish('released');
  }
}

interface WaitOptions {
  readonly watchers: Watchers;
  readonly lookups: Lookups;
  readonly tenant: string;
  readonly ids: readonly JobId[];
  readonly onClose: (self: WaitForJobs) => void;
}

/**
 * Watches from its creation on. Before `until`, a job that looks cancelled or failed may be just about to be submitted
 * again by the one who waits, so such a look only counts when it is confirmed afterwards. A digest is a fact at any time.
 */
class WaitForJobs implements Wait, Watcher {
  readonly ended = new Map<JobId, JobView>();
  readonly #watchers: Watchers;
  readonly #lookups: Lookups;
  readonly #tenant: string;
  readonly #missing: Set<JobId>;
  readonly #doubtful = new Set<JobId>();
  readonly #onClose: (self: WaitForJobs) => void;
  #armed = false;
  #finish: ((end: WaitEnd) => void) | null = null;
  #end: WaitEnd | null = null;

  constructor({ watchers, lookups, tenant, ids, onClose }: WaitOptions) {
    this.#watchers = watchers;
    this.#lookups = lookups;
    this.#tenant = tenant;
    this.#missing = new Set(ids);
    this.#onClose = onClose;
    for (const id of this.#missing) watchers.add(tenant, id, this);
  }

  observed(view: JobView): void {
    if (view.kind !== 'result') return;
    const { id, outcome } = view.result;
    if (!this.#missing.has(id)) return;
    if (outcome !== 'done' && !this.#armed) {
      this.#doubtful.add(id);
      return;
    }
    this.ended.set(id, view);
    this.forget(id);
  }

  moved(): void {
    // Only the end counts here.
  }

  forget(id: JobId): void {
    if (this.#missing.delete(id)) this.#watchers.remove(id, this);
    if (this.#missing.size === 0) this.finish('ended');
  }

  async until(ms: number, gone: AbortSignal): Promise<WaitEnd> {
    this.#armed = true;
    if (this.#missing.size === 0) this.finish('ended');
    if (this.#end === null) await this.#untilFinished(ms, gone);
    this.close();
    return this.#end!;
  }

  /** Ends the wait, once. */
  finish(end: WaitEnd): void {
    this.#end ??= end;
    this.#finish?.(this.#end);
  }

  close(): void {
    for (const id of this.#missing) this.#watchers.remove(id, this);
    this.#missing.clear();
    this.#onClose(this);
  }

  #untilFinished(ms: number, gone: AbortSignal): Promise<WaitEnd> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.finish('time'), ms);
      const leave = (): void => this.finish('gone');
      gone.addEventListener('abort', leave);
      this.#finish = (end) => {
        clearTimeout(timer);
        gone.removeEventListener('abort', leave);
        resolve(end);
      };
      if (gone.aborted) leave();
      else this.#confirm();
    });
  }

  #confirm(): void {
    for (const id of this.#doubtful)
      this.#lookups.get(this.#tenant, id).then(
        (view) => view && this.observed(view),
        () => {
          // The watchers look again by themselves.
        },
      );
  }
}
