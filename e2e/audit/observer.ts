import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../faults/random.ts';
import type { Caller } from './caller.ts';
import type { History, Stored } from './history.ts';
import type { StoreReader } from './store-reader.ts';

/** How often the store is looked at, and how long an observer of the API waits between two looks, in milliseconds. */
const STORE_MS = 150;
const API_MS = 60;

export interface ObserverOptions {
  readonly history: History;
  readonly callers: readonly Caller[];
  readonly store: Pick<StoreReader, 'live' | 'isDone'>;
  readonly seed: string;
}

/** Looks at jobs all the time, through every endpoint and past them, and writes down what it sees. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #watches: Promise<void>[] = [];
  readonly #last = new Map<string, Stored>();
  #over = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  start(): void {
    for (const caller of this.#options.callers) this.#watches.push(this.#watchApi(caller));
    this.#watches.push(this.#watchStore());
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#watches);
  }

  /** Jobs as they were seen last in the store. Those that have ended since are still here. */
  get last(): ReadonlyMap<string, Stored> {
    return this.#last;
  }

  async #watchApi(caller: Caller): Promise<void> {
    const { history, seed } = this.#options;
    const random = new Random(`${seed}/observer of ${caller.name}`);
    while (!this.#over) {
      const ids = [...history.acknowledged.values()];
      if (ids.length > 0) await this.#look(caller, random.pick(ids));
      await pause(API_MS);
    }
  }

  async #look(caller: Caller, id: string): Promise<void> {
    const from = performance.now();
    const job = await caller.get(id);
    if (!job) return;
    const { state, position, digest } = job;
    this.#options.history.shown.push({
      id,
      endpoint: caller.name,
      from,
      to: performance.now(),
      state,
      position,
      digest,
    });
  }

  async #watchStore(): Promise<void> {
    while (!this.#over) {
      // While the database is away there is nothing to see.
      const live = await this.#options.store.live().catch(() => []);
      for (const job of live) if (!(await this.#hasReturned(job))) this.#noteStored(job);
      await pause(STORE_MS);
    }
  }

  /**
   * A submission that was held up on its way may come when the job is done already. It then stands in the queue until
   * that is seen, which is before anybody runs it: no job's position has fallen.
   */
  async #hasReturned({ id, position }: Stored): Promise<boolean> {
    const before = this.#last.get(id);
    if (!before || position >= before.position) return false;
    // While nobody can say, it is looked at again.
    return this.#options.store.isDone(id).catch(() => true);
  }

  #noteStored(job: Stored): void {
    const before = this.#last.get(job.id);
    if (before?.position === job.position && before.owner === job.owner && before.digest === job.digest)
      return;
    this.#last.set(job.id, job);
    this.#options.history.stored.push(job);
  }
}
