import type { LedgerEntry } from '../plan/observed.ts';
import { compactLedger } from '../plan/scaling/history.ts';

/** Of one HashCluster. */
const MAX_ENTRIES = 5_000;

/** What was done and decided lately, by HashCluster. It begins anew with each process. */
export class Ledger {
  readonly #entries = new Map<string, readonly LedgerEntry[]>();

  of(key: string): readonly LedgerEntry[] {
    return this.#entries.get(key) ?? [];
  }

  add(key: string, entries: readonly LedgerEntry[], now: number): void {
    if (entries.length === 0) return;
    this.#entries.set(key, compactLedger([...this.of(key), ...entries], now).slice(-MAX_ENTRIES));
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
