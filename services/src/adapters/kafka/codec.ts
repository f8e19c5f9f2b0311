import { isMessageOf } from '../../jobs/messages-check.ts';
import type { Topic, Topics } from '../../jobs/messages.ts';

/** More bytes than any of our messages has: an alive message with all its positions has a tenth of that. */
const MAX_BYTES = 1 << 20;
const DATABASE_ID = /^[0-9a-f]{8}$/;

/** Which database a message is about, where it comes in. */
export interface Origin {
  /** The id of our own database; null accepts messages of any. */
  readonly databaseId: string | null;
  /** Told of a message of another database, by its id. */
  readonly onForeign: (databaseId: string) => void;
}

/**
 * A message as Kafka carries it: JSON in UTF-8. `databaseId`, 8 hexadecimal characters, goes with it as a field that older
 * versions ignore; null: it does not say.
 */
export function encode(message: Topics[Topic], databaseId: string | null): Buffer {
  const json = JSON.stringify(message);
  return Buffer.from(databaseId === null ? json : `${json.slice(0, -1)},"database":"${databaseId}"}`);
}

/**
 * The message in these bytes. Null when they are not one of this topic: anybody may write to a topic. Undefined when it is
 * about another database. Messages of older versions do not say which, and are accepted.
 */
export function decode<T extends Topic>(
  topic: T,
  bytes: Buffer | null,
  { databaseId, onForeign }: Origin,
): Topics[T] | null | undefined {
  if (bytes === null || bytes.length === 0 || bytes.length > MAX_BYTES) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (!isMessageOf(topic, value)) return null;
    const { database } = value as { readonly database?: unknown };
    if (database === undefined) return value;
    if (typeof database !== 'string' || !DATABASE_ID.test(database)) return null;
    if (databaseId !== null && database !== databaseId) {
      onForeign(database);
      return undefined;
    }
    delete (value as { database?: unknown }).database;
    return value;
  } catch {
    return null;
  }
}
