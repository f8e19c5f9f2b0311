/** What can ask for replicas. */
export type SignalName = 'cpu' | 'disk' | 'backlog' | 'oldestAge';

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

/** Where a ratio is applied. */
export interface Scope {
  /** The replicas that are asked for now. */
  readonly current: number;
  readonly max: number;
  /** How far from 1 a ratio must be to count, in each direction, such as 0.1. */
  readonly tolerance: number;
}

/** Rounds up, but not for what floating point added: 3 × (0.9 / 0.3) is 9. */
export function roundUp(value: number): number {
  return Math.ceil(value - 1e-9);
}

/**
 * The replicas for a measure that is `ratio` times its target on `counted` pods, of which there should be `current`:
 * `ceil(counted × ratio)`. Pods that were not counted dampen the change: taken for exactly on target when the ratio
 * asks for fewer, for doing nothing when it asks for more. A change within the tolerance is none, but for a ratio that
 * asks for the maximum: otherwise a signal that cannot grow any more would stay a few replicas short of it.
 * Source: Horizontal Pod Autoscaling, "Algorithm details".
 */
export function proportional(ratio: number, counted: number, { current, max, tolerance }: Scope): number {
  const missing = Math.max(0, current - counted);
  const damped = ratio < 1 ? counted * ratio + missing : counted * ratio;
  const wanted = roundUp(damped);
  if (ratio < 1) {
    if (wanted >= current) return current;
    return current > 0 && damped / current >= 1 - tolerance - 1e-9 ? current : wanted;
  }
  if (wanted <= current) return current;
  if (wanted >= max) return wanted;
  return current > 0 && damped / current <= 1 + tolerance + 1e-9 ? current : wanted;
}
