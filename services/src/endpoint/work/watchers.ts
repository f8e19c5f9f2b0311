import type { JobId, JobView } from '../../jobs/job.ts';
import type { Finished, JobPosition } from '../../jobs/messages.ts';
import type { Logger } from '../../ports/logger.ts';
import { Ticker } from '../../runtime/ticker.ts';
import type { Lookups } from './lookups.ts';

/** Somebody who wants to know what becomes of a job. */
export interface Watcher {
  /** The job as the store has it. Comes when it may have changed, and every now and then. */
  observed(view: JobView): void;
  /** Its worker says how far it is. */
  moved(position: number): void;
}

interface Watched {
  readonly tenant: string;
  readonly watchers: Set<Watcher>;
}

export interface WatchersOptions {
  readonly lookups: Lookups;
  readonly logger: Logger;
  /** The most watchers. */
  readonly max: number;
  readonly recheckMs: number;
}

/** Jobs looked up in one round of looking, those first that were looked up longest ago. */
const ROUND = 1_000;

/**
 * Who watches which job. Messages only say that it is worth looking; what is told is what the store says. Messages that
 * got lost are made up for by looking every now and then.
 */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #jobs = new Map<JobId, Watched>();
  readonly #ticker: Ticker;
  #count = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
    this.#ticker = new Ticker({
      everyMs: options.recheckMs,
      run: () => this.#recheck(),
      onError: (error) => options.logger.warn('Watched jobs could not be looked up', { error }),
    });
  }

  /** How many watch. */
  get size(): number {
    return this.#count;
  }

  start(): void {
    this.#ticker.start();
  }

  async stop(): Promise<void> {
    await this.#ticker.stop();
  }

  /** Whether so many more may watch. */
  hasRoomFor(more: number): boolean {
    return this.#count + more <= this.#options.max;
  }

  add(tenant: string, id: JobId, watcher: Watcher): void {
    const watched = this.#jobs.get(id);
    if (watched?.watchers.has(watcher)) return;
    if (watched) watched.watchers.add(watcher);
    else this.#jobs.set(id, { tenant, watchers: new Set([watcher]) });
    this.#count++;
  }

  remove(id: JobId, watcher: Watcher): void {
    const watched = this.#jobs.get(id);
    if (!watched?.watchers.delete(watcher)) return;
    this.#count--;
    if (watched.watchers.size === 0) this.#jobs.delete(id);
  }

  /** Jobs are said to have ended: those that are watched are looked up. */
  async ended(messages: readonly Finished[]): Promise<void> {
    if (this.#jobs.size === 0) return;
    await this.#look(messages.map(({ id }) => id).filter((id) => this.#jobs.has(id)));
  }

  /** A worker says how far its jobs are. */
  moved(positions: readonly JobPosition[]): void {
    if (this.#jobs.size === 0) return;
    for (const { id, position } of positions)
      for (const watcher of [...(this.#jobs.get(id)?.watchers ?? [])]) watcher.moved(position);
  }

  async #recheck(): Promise<void> {
    const ids: JobId[] = [];
    for (const id of this.#jobs.keys()) {
      ids.push(id);
      if (ids.length === ROUND) break;
    }
    for (const id of ids) this.#toTheBack(id);
    await this.#look(ids);
  }

  #toTheBack(id: JobId): void {
    const watched = this.#jobs.get(id)!;
    this.#jobs.delete(id);
    this.#jobs.set(id, watched);
  }

  /** What cannot be looked up now is looked up the next time round. */
  async #look(ids: readonly JobId[]): Promise<void> {
    const { lookups, logger } = this.#options;
    const looks = await Promise.allSettled(
      ids.map(async (id) => {
        const watched = this.#jobs.get(id);
        const view = watched && (await lookups.get(watched.tenant, id));
        if (!view) return;
        for (const watcher of [...(this.#jobs.get(id)?.watchers ?? [])]) watcher.observed(view);
      }),
    );
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed) logger.debug('Watched jobs could not be looked up', { error: failed.reason as unknown });
  }
}
