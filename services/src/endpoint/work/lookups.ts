import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobId, JobView } from '../../jobs/job.ts';
import { refuse } from '../problems.ts';
import type { StoreCalls } from './store-calls.ts';

const MAX_BATCH = 1_000;
const MAX_WAITING = 100_000;

interface Wish {
  readonly tenant: string;
  readonly id: JobId;
  readonly resolve: (view: JobView | null) => void;
  readonly reject: (error: Error) => void;
}

/** Reads jobs from the store, those of the same turn of the event loop in one call. */
export class Lookups {
  readonly #store: StoreCalls;
  #wishes: Wish[] = [];

  constructor(store: StoreCalls) {
    this.#store = store;
  }

  /** Null for an id that is unknown, or another tenant's. Throws `unavailable`, and `overloaded`. */
  get(tenant: string, id: JobId): Promise<JobView | null> {
    if (this.#wishes.length >= MAX_WAITING)
      refuse('overloaded', 'Too many reads are waiting. Try again in a moment.');
    return new Promise((resolve, reject) => {
      if (this.#wishes.push({ tenant, id, resolve, reject }) === 1) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    await nextTurn();
    const wishes = this.#wishes;
    this.#wishes = [];
    const byTenant = Map.groupBy(wishes, (wish) => wish.tenant);
    for (const [tenant, group] of byTenant) {
      for (let i = 0; i < group.length; i += MAX_BATCH)
        void this.#fetch(tenant, group.slice(i, i + MAX_BATCH));
    }
  }

  async #fetch(tenant: string, wishes: readonly Wish[]): Promise<void> {
    try {
      const ids = wishes.map(({ id }) => id);
      const views = await this.#store.call('get', (store) => store.get(tenant, ids));
      wishes.forEach(({ resolve }, i) => resolve(views[i] ?? null));
    } catch (error) {
      for (const { reject } of wishes) reject(error as Error);
    }
  }
}
