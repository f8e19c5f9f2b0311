import type { RoleSpec } from '../../api/role-spec.ts';
import type { Pod } from '../kube.ts';
import type { Observed, Role } from '../observed.ts';

/** What can ask for replicas. */
export type SignalName = 'cpu' | 'disk' | 'backlog' | 'oldestAge' | 'jobs';

/** A signal that was read, and the replicas that it asks for. */
export interface KnownSignal {
  readonly name: SignalName;
  readonly known: true;
  readonly replicas: number;
  /** For people: "backlog 600 s / 60 s target". */
  readonly says: string;
}

/** A signal that could not be read, or is too old. It is never zero: nothing shrinks while it is unknown. */
export interface UnknownSignal {
  readonly name: SignalName;
  readonly known: false;
  /** Why it is unknown. */
  readonly says: string;
}

export type Signal = KnownSignal | UnknownSignal;

/** What signals are read from: one role of one cluster. */
export interface RoleView {
  readonly role: Role;
  readonly spec: RoleSpec;
  readonly observed: Observed;
  /** The pods that count. */
  readonly pods: readonly Pod[];
  /** The replicas that the Deployment asks for. */
  readonly current: number;
}

/** A mean over pods, against its target. */
export interface Measure {
  /** 1: on target. */
  readonly ratio: number;
  /** The pods that the mean is of. */
  readonly counted: number;
  /** Pods of which nothing is known. */
  readonly missing: number;
  /** Pods that have not become ready yet. */
  readonly unready: number;
}

/** Rounds up, but not for what floating point added: 3 × (0.9 / 0.3) is 9. */
export function roundUp(value: number): number {
  return Math.max(0, Math.ceil(value - 1e-9));
}

/**
 * The replicas that a measure asks for: `ceil(counted × ratio)`. Pods that were not counted dampen the change: those of
 * which nothing is known are on target when the ratio asks for fewer; they and those that are not ready do nothing when
 * it asks for more. A change within the tolerance is none, unless it leads to the maximum: otherwise a signal that
 * cannot grow any more would stay a few replicas short of it. Source: Horizontal Pod Autoscaling, "Algorithm details".
 */
export function proportional(measure: Measure, { spec, current }: RoleView): number {
  const { ratio, counted, missing, unready } = measure;
  const { tolerance } = spec.scaling;
  if (ratio < 1) {
    const sum = counted * ratio + missing;
    if (sum >= (1 - tolerance) * (counted + missing) - 1e-9) return current;
    return Math.min(current, roundUp(sum));
  }
  const sum = counted * ratio;
  const wanted = roundUp(sum);
  if (wanted <= current) return current;
  if (wanted >= spec.replicas.max) return wanted;
  return sum <= (1 + tolerance) * (counted + missing + unready) + 1e-9 ? current : wanted;
}
