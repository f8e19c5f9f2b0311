import type { Action } from '../action.ts';
import type { Pod } from '../kube.ts';
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
  readonly pod: Pod;
  readonly illness: Illness;
  /** Since when: milliseconds since 1970; null when that is not known. */
  readonly since: number | null;
  /** Whether it has been ill for so long that it is not expected to recover. Before, probes and restarts have their time. */
  readonly isDue: boolean;
  /** Whether another pod in its place could be better off. */
  readonly isCurable: boolean;
  /** The kubelet's reason why a container does not start, which does not pass by itself; null: it gave none. */
  readonly startFailure: string | null;
  /** For people: what is wrong, without what changes from minute to minute. */
  readonly says: string;
}

/** Why pods that are due are left alone. */
export interface Hold {
  readonly component: Component;
  readonly reason:
    | 'HealingDisabled'
    | 'StaleView'
    | 'RolloutInProgress'
    | 'TooManyUnhealthy'
    | 'SameNode'
    | 'WorkersUnreachable'
    | 'ImageNeverRan'
    | 'NotCurable'
    | 'InProgress'
    | 'BudgetSpent'
    | 'BackingOff';
  readonly message: string;
}

export interface HealingPlan {
  /** All of them, those that are not due yet included. */
  readonly patients: readonly Patient[];
  /** At most one of each component: mongodb, kafka, endpoint, worker. */
  readonly holds: readonly Hold[];
  readonly actions: readonly Action[];
}
