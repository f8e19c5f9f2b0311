import type { HealingSpec } from '../../api/access-spec.ts';
import type { Pod } from '../kube.ts';
import type { Component } from '../observed.ts';
import { conditionOf, isLeaving, isReady, timeOf } from '../pods.ts';
import type { Patient } from './healing-plan.ts';
import { startFailureOf } from './start-failures.ts';

/** What a pod is judged by. */
export interface Rules {
  readonly component: Component;
  readonly healing: HealingSpec;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A pod that is still there so long after it should have gone is stuck: its node may be lost. */
const STUCK_TERMINATING_MS = 300_000;
/** So many restarts are enough to say that restarting does not help: they take two and a half minutes. */
const CRASHES = 5;
/** A pod whose readiness changed within this time of its start has not been ready yet. */
const START_MS = 2_000;

type Finding = Omit<Patient, 'component' | 'pod'>;

/** What the pod's own status says is wrong; null: nothing. */
export function diagnose(pod: Pod, rules: Rules): Patient | null {
  const finding = isLeaving(pod) ? ofLeaving(pod, rules) : isReady(pod) ? null : ofUnready(pod, rules);
  return finding && { component: rules.component, pod, ...finding };
}

function ofLeaving({ metadata }: Pod, { now }: Rules): Finding | null {
  const since = timeOf(metadata.deletionTimestamp);
  if (since === null || now - since < STUCK_TERMINATING_MS) return null;
  const says = 'is being deleted, but does not go: its node may be lost';
  return { illness: 'StuckTerminating', since, isDue: true, isCurable: false, startFailure: null, says };
}

function ofUnready(pod: Pod, rules: Rules): Finding | null {
  return ofScheduling(pod, rules) ?? ofContainers(pod, rules) ?? ofSilence(pod, rules);
}

function ofScheduling(pod: Pod, { healing, now }: Rules): Finding | null {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return null;
  const since = timeOf(scheduled.lastTransitionTime);
  const isDue = isOlder(since, healing.unreadySeconds, now);
  const says = `fits on no node: ${scheduled.message ?? scheduled.reason ?? 'no reason given'}`;
  return { illness: 'Unschedulable', since, isDue, isCurable: false, startFailure: null, says };
}

/** A container that does not start, and may never do so. */
function ofContainers(pod: Pod, { healing, now }: Rules): Finding | null {
  const failure = startFailureOf(pod, now);
  if (!failure) return null;
  const { illness, reason, restarts, says } = failure;
  const since = unreadySince(pod);
  const isLong = isOlder(since, healing.unreadySeconds, now);
  const isDue = isLong || (illness === 'CrashLoop' && restarts >= CRASHES);
  return { illness, since, isDue, isCurable: illness !== 'BadSpec', startFailure: reason, says };
}

/** Neither ready nor waiting for anything in particular. A pod that starts is given more time than one that was ready. */
function ofSilence(pod: Pod, { healing, now }: Rules): Finding | null {
  const since = unreadySince(pod);
  const started = timeOf(pod.status?.startTime);
  const isStarting = since === null || started === null || since - started <= START_MS;
  const isDue = isOlder(since, isStarting ? healing.startSeconds : healing.unreadySeconds, now);
  if (isStarting && !isDue) return null;
  const isCreating = pod.status?.phase === 'Pending';
  const says = isCreating ? 'is created, but does not start' : 'runs, but is not ready';
  const illness = isCreating ? 'StuckCreating' : 'Unready';
  return { illness, since, isDue, isCurable: true, startFailure: null, says };
}

function unreadySince(pod: Pod): number | null {
  return (
    timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime) ??
    timeOf(pod.status?.startTime) ??
    timeOf(pod.metadata.creationTimestamp)
  );
}

function isOlder(since: number | null, seconds: number, now: number): boolean {
  return since !== null && now - since >= seconds * 1000;
}
