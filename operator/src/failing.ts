import { FAILING_MS, type ObservedFailure, type Refusal } from './plan/observed.ts';
import type { Outcome } from './apply/applier.ts';
import { actionRef, type Action } from './plan/action.ts';

/** An action that has failed, and has not succeeded since. */
interface Entry {
  readonly ref: string;
  readonly reason?: string;
  readonly message: string;
  /** When it failed first, in milliseconds since 1970. */
  readonly since: number;
  /** Attempts that failed. */
  readonly attempts: number;
}

/** The ref of what is read before anything is planned. */
export const OBSERVE = 'observe';
/** A failure that happens once is nothing to tell people about: objects change under our hands, API servers restart. */
const TELL_AFTER = 2;
/** What was attempted once and has not succeeded for so long is told too. Milliseconds. */
const TELL_AFTER_MS = 15_000;

/**
 * Actions that fail, by HashCluster, until they succeed or no plan asks for them any more. A round that leaves an action
 * out, for instance because it waits for a new reading, does not make it succeed.
 */
export class FailingActions {
  readonly #entries = new Map<string, readonly Entry[]>();

  /** What the status tells of them. */
  told(key: string, now: number): ObservedFailure[] {
    return (this.#entries.get(key) ?? [])
      .filter(({ attempts, since }) => attempts >= TELL_AFTER || now - since >= TELL_AFTER_MS)
      .map(({ ref, reason, message, since }) => ({
        ref,
        ...(reason !== undefined && { reason }),
        message,
        since,
      }));
  }

  /** Whether anything fails, told or not. */
  any(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Milliseconds until one of them has failed for so long that the cluster is not ready; null: none is going to. */
  dueMs(key: string, now: number): number | null {
    const left = (this.#entries.get(key) ?? []).map(({ since }) => since + FAILING_MS - now);
    const ahead = left.filter((ms) => ms > 0);
    return ahead.length === 0 ? null : Math.min(...ahead);
  }

  /**
   * Takes in what became of a round in which these actions were planned, carried out or not. What was refused for another
   * reason than before, or for the first time.
   */
  note(
    key: string,
    planned: readonly Action[],
    { done, refusals, failure }: Outcome,
    now: number,
  ): readonly Refusal[] {
    const before = new Map((this.#entries.get(key) ?? []).map((entry) => [entry.ref, entry]));
    const failed = [
      ...refusals.map((refusal) => ({ ...refusal, tries: TELL_AFTER })),
      ...(failure ? [{ ref: failure.ref, message: messageOf(failure.error), tries: 1 }] : []),
    ].map(({ tries, ...rest }) => {
      const known = before.get(rest.ref);
      return { ...rest, since: known?.since ?? now, attempts: (known?.attempts ?? 0) + tries };
    });
    const settled = new Set([...done.map(actionRef), ...failed.map(({ ref }) => ref)]);
    const wanted = new Set(planned.map(actionRef));
    const pending = [...before.values()].filter(({ ref }) => !settled.has(ref) && wanted.has(ref));
    const entries = [...pending, ...failed];
    if (entries.length === 0) this.#entries.delete(key);
    else this.#entries.set(key, entries);
    return refusals.filter(({ ref, message }) => before.get(ref)?.message !== message);
  }

  /** Takes in that a round ended before anything could be planned; what failed before is still to be done. */
  noteUnobserved(key: string, error: unknown, now: number): void {
    const entries = this.#entries.get(key) ?? [];
    const known = entries.find(({ ref }) => ref === OBSERVE);
    const entry: Entry = {
      ...{ ref: OBSERVE, reason: 'ObservationFailed', message: messageOf(error) },
      ...{ since: known?.since ?? now, attempts: (known?.attempts ?? 0) + 1 },
    };
    this.#entries.set(key, [...entries.filter(({ ref }) => ref !== OBSERVE), entry]);
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
