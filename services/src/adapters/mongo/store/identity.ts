import type { mongo } from 'mongoose';
import { StoreUnavailableError } from '../../../ports/job-store.ts';

/** Code of MongoDB. Source: MongoDB, `src/mongo/base/error_codes.yml`. */
const UNAUTHORIZED = 13;

/**
 * Rejects with `StoreUnavailableError` where the replica set is not the one that is expected, or does not say which one it
 * is: two sets may have the same name and the same users. `replSetGetConfig` takes a role with the action of that name.
 *
 * @param expected `settings.replicaSetId`, hexadecimal; null: any set will do
 */
export async function checkIdentity(admin: mongo.Db, expected: string | null): Promise<void> {
  if (expected === null) return;
  const id = await readIdentity(admin);
  if (id === expected) return;
  throw new StoreUnavailableError(
    `MongoDB is the replica set ${id}, but MONGODB_REPLICA_SET_ID expects ${expected}: its jobs would not be found there`,
  );
}

async function readIdentity(admin: mongo.Db): Promise<string> {
  try {
    const { config } = (await admin.command({ replSetGetConfig: 1 })) as {
      readonly config?: { readonly settings?: { readonly replicaSetId?: mongo.ObjectId } };
    };
    return config?.settings?.replicaSetId?.toString() ?? 'without an id';
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== UNAUTHORIZED) throw error;
    throw new StoreUnavailableError(
      'MONGODB_REPLICA_SET_ID is set, but the user of MongoDB may not read the id: it needs a role with the action replSetGetConfig on the cluster',
      { cause: error },
    );
  }
}

/** Hexadecimal characters of an id that is short enough to go with every message. */
const ID_LENGTH = 8;

/**
 * Tells this database from all others, also from one of the same name elsewhere: the first 8 hexadecimal characters of the
 * UUID of its collection `jobs`, which a rename, a drop or a restore changes. Null where the user may not list collections.
 */
export async function readDatabaseId(db: mongo.Db): Promise<string | null> {
  try {
    const options = { nameOnly: false, promoteBuffers: false } as const;
    const [jobs] = await db.listCollections({ name: 'jobs' }, options).toArray();
    const uuid = jobs?.info?.uuid;
    return uuid?.toString('hex').slice(0, ID_LENGTH) ?? null;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== UNAUTHORIZED) throw error;
    return null;
  }
}
