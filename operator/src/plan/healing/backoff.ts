import type { HealingSpec } from '../../api/access-spec.ts';
import type { LedgerEntry } from '../observed.ts';
import { timeOf } from '../pods.ts';
import type { Patient } from './healing-plan.ts';

export type Disruption = Extract<LedgerEntry, { kind: 'disruption' }>;

/** A pod that was made so long after another one was replaced is its replacement. */
const REPLACED_WITHIN_MS = 60_000;
/** After so long without trouble, what was before does not count. */
const HEALTHY_MS = 600_000;

export function disruptionsOf(ledger: readonly LedgerEntry[]): Disruption[] {
  return ledger.filter((entry) => entry.kind === 'disruption');
}

/** Which replacement in a row this would be, and when it may be; milliseconds since 1970. */
export interface Attempt {
  readonly number: number;
  readonly notBefore: number;
}

/**
 * A pod in the place of one that was replaced already is replaced later each time: the first time after `baseSeconds`,
 * doubled up to `maxSeconds`. Ten healthy minutes, and it begins anew.
 */
export function attemptFor(
  patient: Patient,
  ledger: readonly LedgerEntry[],
  backoff: HealingSpec['backoff'],
): Attempt {
  const before = parentOf(patient, ledger);
  const born = timeOf(patient.pod.metadata.creationTimestamp);
  const wasHealthy = born !== null && patient.since !== null && patient.since - born >= HEALTHY_MS;
  if (!before || wasHealthy) return { number: 1, notBefore: 0 };
  const tries = before.attempt ?? 1;
  const seconds = Math.min(backoff.maxSeconds, backoff.baseSeconds * 2 ** Math.min(tries - 1, 30));
  return { number: tries + 1, notBefore: before.at + seconds * 1000 };
}

/** The disruption that made room for a pod. Pods of StatefulSets keep their names; of Deployments only the time tells. */
function parentOf({ component, pod }: Patient, ledger: readonly LedgerEntry[]): Disruption | undefined {
  const born = timeOf(pod.metadata.creationTimestamp);
  if (born === null) return undefined;
  const keepsName = component === 'mongodb' || component === 'kafka';
  return disruptionsOf(ledger).findLast((entry) => {
    if (entry.component !== component || entry.uid === pod.metadata.uid) return false;
    // Times of the API server are cut to whole seconds.
    const age = born + 1_000 - entry.at;
    return keepsName ? entry.pod === pod.metadata.name && age > 0 : age > 0 && age <= REPLACED_WITHIN_MS;
  });
}
