import { MongoClient, type Collection, type Db } from 'mongodb';
import type { Final, State, Stored } from './history.ts';

/** The owner of a job that is queued, and those of jobs that are just ending (DESIGN §3). */
const NOBODY = '';
const ENDING: readonly string[] = ['cancelled', 'failed'];

/** An answer has to come within this time, in milliseconds: during faults, none is better than a late one. */
const TIMEOUT_MS = 3_000;

interface JobDoc {
  readonly _id: string;
  readonly chain: Uint8Array;
  readonly iterations: number;
  readonly position: number;
  readonly digest?: Uint8Array;
  readonly owner: string;
}

interface ResultDoc {
  readonly _id: string;
  readonly chain: Uint8Array;
  readonly iterations: number;
  readonly outcome: State;
  readonly digest?: Uint8Array;
  readonly computed: number;
  readonly worker?: string;
}

interface WorkerDoc {
  readonly _id: string;
  readonly leaseUntil: Date;
}

/** Looks into the database of a cluster past its endpoints, at what a majority has. */
export class StoreReader {
  readonly #client: MongoClient;
  readonly #database: string;

  constructor(url: string, database: string) {
    this.#client = new MongoClient(url, {
      readConcernLevel: 'majority',
      serverSelectionTimeoutMS: TIMEOUT_MS,
      socketTimeoutMS: TIMEOUT_MS,
      promoteBuffers: true,
    });
    this.#database = database;
  }

  get db(): Db {
    return this.#client.db(this.#database);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** All live jobs as they stand now. */
  async live(): Promise<Stored[]> {
    const docs = (await this.#jobs().find().toArray()).filter(isReadable);
    const at = performance.now();
    return docs.map(({ _id, chain, iterations, position, digest, owner }) => ({
      ...{ id: _id, at, iterations, position },
      owner: owner === NOBODY ? null : owner,
      chain: hexOf(chain),
      digest: hexOf(digest ?? chain),
    }));
  }

  /** How many jobs live. */
  count(): Promise<number> {
    return this.#jobs().countDocuments();
  }

  /** When the lease of a worker runs out, in milliseconds since 1970 by the database's clock; null when it has none. */
  async leaseUntil(worker: string): Promise<number | null> {
    const found = await this.db.collection<WorkerDoc>('workers').findOne({ _id: worker });
    return found?.leaseUntil.getTime() ?? null;
  }

  /** Whether the result of this job stands. */
  async isDone(id: string): Promise<boolean> {
    const filter = { _id: id, outcome: 'done' as const };
    return (await this.#results().findOne(filter, { projection: { _id: 1 } })) !== null;
  }

  /** All that is there: how jobs have ended, and those that have not. */
  async final(): Promise<Final[]> {
    const results = (await this.#results().find().toArray()).filter(isReadable);
    const ended = results.map(
      ({ _id, chain, iterations, outcome, digest, computed, worker = null }): Final => ({
        ...{ id: _id, iterations, state: outcome, computed, worker },
        chain: hexOf(chain),
        digest: outcome === 'done' ? hexOf(digest ?? chain) : null,
      }),
    );
    const known = new Set(ended.filter(({ state }) => state === 'done').map(({ id }) => id));
    const live = (await this.#jobs().find().toArray())
      .filter(isReadable)
      // A job whose result is there already is only waiting to be swept away.
      .filter(({ _id, owner }) => !known.has(_id) && !ENDING.includes(owner))
      .map(({ _id, chain, iterations, owner }): Final => {
        const state = owner === NOBODY ? 'queued' : 'running';
        return {
          id: _id,
          chain: hexOf(chain),
          iterations,
          state,
          digest: null,
          computed: null,
          worker: owner,
        };
      });
    return [...ended, ...live];
  }

  #jobs(): Collection<JobDoc> {
    return this.db.collection<JobDoc>('jobs');
  }

  #results(): Collection<ResultDoc> {
    return this.db.collection<ResultDoc>('results');
  }
}

/** A document without a chain is no job: who wrote it has lost one, which shows. */
function isReadable({ chain }: { readonly chain: unknown }): boolean {
  return chain instanceof Uint8Array;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
