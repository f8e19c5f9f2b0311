import type { Pod, PodCondition } from './kube.ts';
import type { Component, Observed } from './observed.ts';

const COMPONENT = 'app.kubernetes.io/component';

/** The pods of a part that count: neither leaving nor ended. */
export function podsOf({ pods }: Pick<Observed, 'pods'>, component: Component): Pod[] {
  return pods.filter((pod) => componentOf(pod) === component && !isLeaving(pod) && !hasEnded(pod));
}

/** Which part a pod belongs to, as its label says. */
export function componentOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[COMPONENT];
}

export function isLeaving({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Whether a pod runs no more and never will. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Failed' || status?.phase === 'Succeeded';
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

export function conditionOf({ status }: Pod, type: string): PodCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Milliseconds since 1970; null when there is no time, or none that can be read. */
export function timeOf(text: string | undefined): number | null {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : at;
}
