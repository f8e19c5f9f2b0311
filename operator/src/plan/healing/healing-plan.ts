import type { Action } from '../action.ts';
import type { Component } from '../observed.ts';

/** What can be wrong with a pod. */
export type Illness =
  | 'CrashLoop'
  | 'ImagePull'
  | 'BadSpec'
  | 'StuckCreating'
  | 'Unready'
  | 'Unschedulable'
  | 'CutOff'
  | 'DiskFull'
  | 'StuckTerminating';

/** A pod that is ill. */
export interface Patient {
  readonly component: Component;
  readonly pod: string;
  readonly uid: string;
  readonly node: string | null;
  readonly illness: Illness;
  /** Since when: milliseconds since 1970. */
  readonly since: number;
  /** For people. */
  readonly says: string;
  /** Whether another pod in its place could be better off. */
  readonly curable: boolean;
}

/** Why ill pods are left alone. */
export interface Hold {
  readonly reason:
    | 'HealingDisabled'
    | 'StaleView'
    | 'RolloutInProgress'
    | 'TooManyUnhealthy'
    | 'SameNode'
    | 'ImageNeverRan'
    | 'NobodyHeard'
    | 'NotCurable'
    | 'InProgress'
    | 'BudgetSpent'
    | 'BackingOff';
  readonly message: string;
}

export interface HealingPlan {
  readonly patients: readonly Patient[];
  /** By component, in this order: mongodb, kafka, endpoint, worker. */
  readonly holds: readonly (Hold & { readonly component: Component })[];
  readonly actions: readonly Action[];
}
