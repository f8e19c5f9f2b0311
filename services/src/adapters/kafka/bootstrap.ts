import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaConnection } from './options.ts';
import { probe } from './probe.ts';
import { CONNECT_MS } from './timing.ts';
import { reasonOf } from './within.ts';

/** A broker that has not answered after this time does not keep the next one waiting; milliseconds. */
const NEXT_MS = 250;

/**
 * The connection with a broker in front that answers just now, for a client that is made anew. The list is tried in a
 * random order, each broker with a limit of its own, and one that hangs beside the next. Rejects when all have failed,
 * with the reason of each.
 */
export async function findBroker(
  connection: KafkaConnection,
  signal?: AbortSignal,
): Promise<KafkaConnection> {
  const over = new AbortController();
  const stop = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const attempts: Promise<string>[] = [];
  try {
    for (const broker of shuffled(connection.brokers)) {
      const attempt = probe(broker, connection, CONNECT_MS, stop).then(() => broker);
      attempts.push(attempt);
      const found = await firstOf(attempts, attempt, stop);
      if (found !== null) return { ...connection, brokers: inFront(found, connection.brokers) };
    }
    return { ...connection, brokers: inFront(await Promise.any(attempts), connection.brokers) };
  } catch (error) {
    throw error instanceof AggregateError ? new Error(all(error.errors)) : error;
  } finally {
    over.abort();
  }
}

/** The broker that has answered; null when the newest attempt has failed, or it is time for the next. */
async function firstOf(
  attempts: readonly Promise<string>[],
  newest: Promise<string>,
  signal: AbortSignal,
): Promise<string | null> {
  const enough = new AbortController();
  const none = (): null => null;
  try {
    return await Promise.race([
      Promise.any(attempts).catch(none),
      newest.catch(none),
      sleep(NEXT_MS, null, { signal: AbortSignal.any([signal, enough.signal]) }).catch(none),
    ]);
  } finally {
    enough.abort();
  }
}

function inFront(first: string, brokers: readonly string[]): string[] {
  return [first, ...brokers.filter((broker) => broker !== first)];
}

/** All of them, each order as likely as the others (Fisher-Yates). */
function shuffled<T>(items: readonly T[]): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

function all(errors: readonly unknown[]): string {
  return errors.map(reasonOf).join('; ');
}
