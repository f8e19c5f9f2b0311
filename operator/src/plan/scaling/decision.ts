import type { Action } from '../action.ts';
import type { Role } from '../observed.ts';
import type { Signal } from './signal.ts';

/** What keeps a role from having what its signals ask for. */
export interface Limit {
  readonly reason:
    | 'AtMaximum'
    | 'PausedIn'
    | 'PausedOut'
    | 'ScaleUpLimit'
    | 'ScaleDownLimit'
    | 'ScaleUpStabilized'
    | 'ScaleDownStabilized'
    | 'SignalUnknown'
    | 'Settling';
  readonly message: string;
}

/** How many replicas a role should have now, and why. */
export interface RoleDecision {
  readonly role: Role;
  /** What the Deployment asks for now. */
  readonly current: number;
  /** What the signals ask for; `current` while that is not known. */
  readonly wanted: number;
  /** What the Deployment shall ask for. */
  readonly replicas: number;
  readonly signals: readonly Signal[];
  /** Null: the role has what it wants. */
  readonly limited: Limit | null;
  /** For people: "backlog 600 s / 60 s target → 10". */
  readonly why: string;
}

export interface ScalingPlan {
  /** A role without a Deployment has none. */
  readonly decisions: readonly RoleDecision[];
  readonly actions: readonly Action[];
}
