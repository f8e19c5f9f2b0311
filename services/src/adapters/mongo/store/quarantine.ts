import type { mongo } from 'mongoose';
import type { Logger } from '../../../ports/logger.ts';
import type { Counter } from '../../../ports/metrics.ts';

/** Ids remembered as logged, where a document could not be moved. */
const MAX_REMEMBERED = 1_000;

/** A document that cannot be read, kept for people to look at. */
export interface QuarantineDoc {
  /** Its collection and id. */
  readonly _id: string;
  readonly collection: string;
  /** The first field that is wrong. */
  readonly field: string;
  readonly at: Date;
  readonly document: mongo.Document;
}

export interface QuarantineOptions {
  readonly logger: Logger;
  /** Documents that cannot be read, by collection. */
  readonly unreadable: Counter;
  readonly now: () => number;
}

/** Takes documents that cannot be read out of the way of all others. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #logged = new Set<string>();

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /**
   * The collection, whose `find` and `findOne` leave out what cannot be read: it is moved to `kept`, and the query is
   * made once more. Queries with a projection are left alone, and so are aggregations.
   */
  guard<T extends mongo.Document>(
    collection: mongo.Collection<T>,
    kept: mongo.Collection<QuarantineDoc>,
    wrongIn: (doc: T) => string | null,
  ): mongo.Collection<T> {
    const readable = async (read: () => Promise<readonly T[]>): Promise<T[]> => {
      const docs = await read();
      const bad = docs.filter((doc) => wrongIn(doc) !== null);
      if (bad.length === 0) return docs as T[];
      const moved = await this.#move(collection, kept, { docs: bad, wrongIn });
      // What they kept from being found may be found now.
      const again = moved ? await read() : docs;
      return again.filter((doc) => wrongIn(doc) === null);
    };
    const find = (filter: mongo.Filter<T>, options?: mongo.FindOptions) =>
      options?.projection
        ? collection.find(filter, options)
        : { toArray: () => readable(() => collection.find(filter, options).toArray() as Promise<T[]>) };
    const findOne = async (filter: mongo.Filter<T>, options?: mongo.FindOptions): Promise<T | null> => {
      const one = { ...options, limit: 1 };
      return (await readable(() => collection.find(filter, one).toArray() as Promise<T[]>))[0] ?? null;
    };
    return new Proxy(collection, {
      get: (target, name) => {
        if (name === 'find') return find;
        if (name === 'findOne') return findOne;
        const found: unknown = Reflect.get(target, name, target);
        return typeof found === 'function' ? (found.bind(target) as unknown) : found;
      },
    });
  }

  /** False where it could not be done: then the documents are left out, and stay. */
  async #move<T extends mongo.Document>(
    collection: mongo.Collection<T>,
    kept: mongo.Collection<QuarantineDoc>,
    { docs, wrongIn }: { readonly docs: readonly T[]; readonly wrongIn: (doc: T) => string | null },
  ): Promise<boolean> {
    const name = collection.collectionName;
    const at = new Date(this.#options.now());
    const entries = docs.map((doc): QuarantineDoc => {
      const field = wrongIn(doc)!;
      return { _id: `${name}/${String(doc['_id'])}`, collection: name, field, at, document: doc };
    });
    for (const entry of entries) this.#log(entry);
    try {
      await kept.bulkWrite(
        entries.map((entry) => ({
          replaceOne: { filter: { _id: entry._id }, replacement: entry, upsert: true },
        })),
      );
      const ids = docs.map((doc): unknown => doc['_id']);
      await collection.deleteMany({ _id: { $in: ids } } as unknown as mongo.Filter<T>);
      return true;
    } catch (error) {
      this.#options.logger.warn('Documents could not be moved to quarantine', { collection: name, error });
      return false;
    }
  }

  #log({ _id, collection, field }: QuarantineDoc): void {
    if (this.#logged.has(_id) || this.#logged.size >= MAX_REMEMBERED) return;
    this.#logged.add(_id);
    this.#options.unreadable.add(1, { collection });
    this.#options.logger.error('A document cannot be read: it is moved to quarantine', {
      document: _id,
      field,
    });
  }
}
