import { settlesWithin } from '../../runtime/deadline.ts';

/** The result of the work; rejects when it is not there after `ms`. Late work goes on, and nobody hears of it. */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  if (await settlesWithin(work, ms)) return work;
  throw new Error(`${what}: no answer within ${ms} ms`);
}

/** An error that holds others, or one beside its message: as clients of Kafka make them. */
interface Wrapping extends Error {
  /** `AggregateError`, and kafkajs's own kind of it. */
  readonly errors?: readonly unknown[];
  /** What the broker says in words, and the topic that it speaks of. */
  readonly serverErrorMessage?: string | null;
  readonly topic?: string;
}

/** What went wrong, in one line. Clients wrap errors in errors; the innermost says what happened. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, errors, cause, serverErrorMessage, topic } = error as Wrapping;
  const inner = errors?.at(-1) ?? cause;
  const own = `${topic && !message.includes(topic) ? `${topic}: ` : ''}${message}`;
  if (inner instanceof Error && inner !== error) return `${own}: ${reasonOf(inner)}`;
  return serverErrorMessage ? `${own} (${serverErrorMessage})` : own;
}
