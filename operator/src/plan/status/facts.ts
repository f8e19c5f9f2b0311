import type { ReplicaSetStatus } from '../../api/status.ts';
import { liveChild, type Context } from '../desired/context.ts';
import { childName } from '../desired/names.ts';
import type { Component } from '../observed.ts';
import type { HealingPlan } from '../healing/healing-plan.ts';
import { nextReplicaSet } from '../mongo-memory.ts';
import { missingExternalSecrets } from '../roles.ts';
import { countsOf, type Counts, type Workload } from '../rollout.ts';
import type { ScalingPlan } from '../scaling/decision.ts';
import type { Stuck } from '../volumes.ts';

/** What a plan has found out, for the status. */
export interface Findings {
  readonly scaling: ScalingPlan;
  readonly healing: HealingPlan;
  readonly stuck: readonly Stuck[];
  /** Volumes that are being resized. */
  readonly resizing: readonly Stuck[];
  /** What a rollout waits for; null: nothing. */
  readonly waiting: string | null;
  /** How this very plan changes workloads, for people. */
  readonly changing: readonly string[];
}

/** What the status is made from. */
export interface Facts extends Findings {
  readonly context: Context;
  readonly counts: Readonly<Record<Component, Counts>>;
  readonly missingSecrets: readonly string[];
  /** What is known of the managed replica set, with this plan. */
  readonly replicaSet: ReplicaSetStatus | undefined;
}

/** The live workload of a part; null when there is none. */
export function workloadOf(context: Context, component: Component): Workload | null {
  const kind = component === 'mongodb' || component === 'kafka' ? 'StatefulSet' : 'Deployment';
  return liveChild(context, kind, childName(context.cluster, component));
}

export function factsOf(context: Context, findings: Findings): Facts {
  const counts = (component: Component): Counts => countsOf(workloadOf(context, component));
  return {
    ...findings,
    context,
    counts: {
      endpoint: counts('endpoint'),
      worker: counts('worker'),
      mongodb: counts('mongodb'),
      kafka: counts('kafka'),
    },
    missingSecrets: missingExternalSecrets(context),
    replicaSet: nextReplicaSet(context),
  };
}
