import { settlesWithin } from '../../runtime/deadline.ts';

/** The result of the work; rejects when it is not there after `ms`. Late work goes on, and nobody hears of it. */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  if (await settlesWithin(work, ms)) return work;
  throw new Error(`${what}: no answer within ${ms} ms`);
}

/** What went wrong, in one line. Clients wrap errors in errors; the innermost says what happened. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? (error.errors as unknown[]).at(-1) : error.cause;
  return inner instanceof Error && inner !== error ? `${error.message}: ${reasonOf(inner)}` : error.message;
}
