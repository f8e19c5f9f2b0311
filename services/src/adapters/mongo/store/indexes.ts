import { mongo, type Schema } from 'mongoose';
import type { Logger } from '../../../ports/logger.ts';
import {
  CHAIN_INDEX,
  jobSchema,
  resultSchema,
  SERVER_EXPIRY_SECONDS,
  statsSchema,
  workerSchema,
} from './schemas.ts';

const NAMESPACE_EXISTS = 48;
const INDEX_NOT_FOUND = 27;
const CHAIN_NAME = /^chain_from_(\d+)$/;

/** A member that is down must not hold up a start. */
const QUORUM = { commitQuorum: 'majority' } as const;

/**
 * Makes the collections and indexes that are missing. Can be done by many at once and again and again; an index that is
 * there costs a look. `reuseIterations`: chains are looked up from this many iterations on.
 */
export async function ensureIndexes(db: mongo.Db, reuseIterations: number, logger: Logger): Promise<void> {
  for (const schema of [jobSchema(), resultSchema(), workerSchema(), statsSchema()]) {
    await ensureCollection(db, schema);
  }
  await ensureChainIndex(db.collection('results'), reuseIterations, logger);
}

async function ensureCollection(db: mongo.Db, schema: Schema): Promise<void> {
  const name = schema.get('collection')!;
  await unless(NAMESPACE_EXISTS, () => db.createCollection(name));
  if (name === 'results') await postponeServerExpiry(db);
  const specs = schema.indexes().map(([key, options]): mongo.IndexDescription => {
    const { expireAfterSeconds } = options as { readonly expireAfterSeconds?: number };
    const index = { key: key as Record<string, 1 | -1> };
    return expireAfterSeconds === undefined ? index : { ...index, expireAfterSeconds };
  });
  if (specs.length > 0) await db.collection(name).createIndexes(specs, QUORUM);
}

/** An earlier version let the server delete results by its own clock. The index is changed in place, which takes no time. */
async function postponeServerExpiry(db: mongo.Db): Promise<void> {
  const all = (await db.collection('results').listIndexes().toArray()) as readonly {
    readonly name: string;
    readonly expireAfterSeconds?: number;
  }[];
  const expiry = all.find(({ name }) => name === 'expiresAt_1');
  if (!expiry || expiry.expireAfterSeconds === SERVER_EXPIRY_SECONDS) return;
  const index = { keyPattern: { expiresAt: 1 }, expireAfterSeconds: SERVER_EXPIRY_SECONDS };
  await db.command({ collMod: 'results', index, writeConcern: { w: 'majority' } });
}

/**
 * The index of chains holds results from some number of iterations on, which its name says. One that holds more than is
 * looked up serves as well; where none holds enough a new one is made, and those that hold less go.
 */
async function ensureChainIndex(
  results: mongo.Collection,
  reuseIterations: number,
  logger: Logger,
): Promise<void> {
  const from = Math.max(1, Math.ceil(reuseIterations));
  if ((await chainIndexes(results)).some((each) => each <= from)) return;
  const partialFilterExpression = { iterations: { $gte: from } };
  await results.createIndexes(
    [{ key: CHAIN_INDEX, name: `chain_from_${from}`, partialFilterExpression }],
    QUORUM,
  );
  for (const less of (await chainIndexes(results)).filter((each) => each > from)) {
    logger.info('an index of chains is not needed any more', { from: less, now: from });
    await unless(INDEX_NOT_FOUND, () => results.dropIndex(`chain_from_${less}`));
  }
}

async function chainIndexes(results: mongo.Collection): Promise<number[]> {
  const all = (await results.listIndexes().toArray()) as readonly { readonly name: string }[];
  return all.flatMap(({ name }) => {
    const match = CHAIN_NAME.exec(name);
    return match ? [Number(match[1])] : [];
  });
}

/** Others do the same at the same time: that it is done already is no fault. */
async function unless(code: number, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof mongo.MongoServerError && error.code === code)) throw error;
  }
}
