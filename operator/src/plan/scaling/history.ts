import type { LedgerEntry, Role } from '../observed.ts';

export type Recommendation = Extract<LedgerEntry, { kind: 'recommendation' }>;
type Scaled = Extract<LedgerEntry, { kind: 'scale' }>;

/** The longest that a stabilization window or a policy's period may be, in milliseconds. Source: autoscaling/v2. */
const LONGEST_MS = 3_600_000;
/** How far remembered recommendations may lie apart: as far as the Horizontal Pod Autoscaler's. */
const STEP_MS = 15_000;

/** What was recommended for a role after a time, oldest first. */
export function recommendedSince(ledger: readonly LedgerEntry[], role: Role, since: number): number[] {
  return recommendationsOf(ledger, role)
    .filter(({ at }) => at > since)
    .map(({ replicas }) => replicas);
}

/** How many replicas a role got (negative: lost) after a time. */
export function changeSince(ledger: readonly LedgerEntry[], role: Role, since: number): number {
  return scalesOf(ledger, role)
    .filter(({ at }) => at > since)
    .reduce((sum, { from, to }) => sum + to - from, 0);
}

/**
 * A role of which nothing is remembered, because it is new or the operator is: what it has is taken for what was
 * wanted, so that its windows begin now.
 */
export function beginning(ledger: readonly LedgerEntry[], next: Recommendation): LedgerEntry[] {
  return recommendationsOf(ledger, next.role).length === 0 ? [next] : [];
}

/** Whether a recommendation must be remembered: it is another one, or the last one begins to be old. */
export function isNews(ledger: readonly LedgerEntry[], next: Recommendation): boolean {
  const last = recommendationsOf(ledger, next.role).at(-1);
  return last?.replicas !== next.replicas || next.at - last.at >= STEP_MS;
}

/**
 * The ledger without what can no longer matter: entries older than an hour, and recommendations that a later one makes
 * meaningless, being neither the highest nor the lowest of what is left of any window. Replicas that nobody changes
 * take two entries, not one for every round.
 */
export function compactLedger(ledger: readonly LedgerEntry[], now: number): LedgerEntry[] {
  const young = ledger.filter(({ at }) => at > now - LONGEST_MS);
  return young.filter((entry, index) => {
    if (entry.kind !== 'recommendation') return true;
    const later = recommendationsOf(young.slice(index + 1), entry.role);
    return (
      later.every(({ replicas }) => replicas < entry.replicas) ||
      later.every(({ replicas }) => replicas > entry.replicas)
    );
  });
}

function recommendationsOf(ledger: readonly LedgerEntry[], role: Role): Recommendation[] {
  return ledger.filter((entry) => entry.kind === 'recommendation' && entry.role === role) as Recommendation[];
}

function scalesOf(ledger: readonly LedgerEntry[], role: Role): Scaled[] {
  return ledger.filter((entry) => entry.kind === 'scale' && entry.role === role) as Scaled[];
}
