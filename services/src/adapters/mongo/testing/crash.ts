import { StoreUnavailableError } from '../../../ports/job-store.ts';
import type { Context } from '../store/context.ts';
import type { Collections } from '../store/link.ts';
import { OPTIONS, type TestStore } from './kit.ts';

const WRITES = new Set(['insertMany', 'updateMany', 'updateOne', 'replaceOne', 'deleteMany', 'bulkWrite']);
const COLLECTIONS = ['jobs', 'results', 'workers', 'stats'] as const;

/** The process that does something ends after so many of its writes. */
class Crash {
  #left: number;

  constructor(writes: number) {
    this.#left = writes;
  }

  get happened(): boolean {
    return this.#left < 0;
  }

  wrap<T extends object>(collection: T): T {
    return new Proxy(collection, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name);
        if (typeof found !== 'function') return found;
        return (...given: unknown[]): unknown => {
          if (WRITES.has(String(name)) && !this.happened) this.#left--;
          if (this.happened) throw new StoreUnavailableError('the process has ended');
          return Reflect.apply(found, target, given);
        };
      },
    });
  }
}

/** Does something in a process that ends after `writes` writes. Returns whether it came so far. */
export async function crashAfter(
  writes: number,
  { link, time }: Pick<TestStore, 'link' | 'time'>,
  act: (context: Context) => Promise<unknown>,
): Promise<boolean> {
  const crash = new Crash(writes);
  try {
    await link.run(async (collections) => {
      const wrapped = Object.fromEntries(
        COLLECTIONS.map((name) => [name, crash.wrap(collections[name])]),
      ) as unknown as Collections;
      await act({ ...wrapped, ...OPTIONS, time });
    });
    return false;
  } catch (error) {
    if (!crash.happened) throw error;
    return true;
  }
}
