import { isMessageOf } from '../../jobs/messages-check.ts';
import type { Topic, Topics } from '../../jobs/messages.ts';

/** More bytes than any of our messages has: an alive message with all its positions has a tenth of that. */
const MAX_BYTES = 1 << 20;

/** A message as Kafka carries it: JSON in UTF-8. */
export function encode(message: Topics[Topic]): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** The message in these bytes; null when they are not one of this topic. Anybody may write to a topic. */
export function decode<T extends Topic>(topic: T, bytes: Buffer | null): Topics[T] | null {
  if (bytes === null || bytes.length === 0 || bytes.length > MAX_BYTES) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isMessageOf(topic, value) ? value : null;
  } catch {
    return null;
  }
}
