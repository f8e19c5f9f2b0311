import type { ScaleEvent } from './history.ts';

/** At most so many pods, or so much of what there was at the period's start, in each period. */
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

/** How fast one direction may go. Source: autoscaling/v2 `HPAScalingRules`. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds: number;
  readonly policies: readonly ScalingPolicy[];
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
}

/** What the policies are asked about. */
export interface Pace {
  readonly current: number;
  readonly events: readonly ScaleEvent[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The most replicas that the policies allow now: never fewer than there are. `Max` takes the policy that allows the
 * largest change, `Min` the smallest. Percentages are rounded up, so that one replica can become two.
 */
export function upperLimit(rules: ScalingRules, pace: Pace): number {
  if (rules.selectPolicy === 'Disabled' || rules.policies.length === 0) return pace.current;
  const limits = rules.policies.map((policy) => {
    const start = atStart(policy, pace);
    if (policy.type === 'Pods') return start + policy.value;
    return Math.ceil((Math.max(1, start) * (100 + policy.value)) / 100);
  });
  return Math.max(pace.current, pick(rules) === 'largest' ? Math.max(...limits) : Math.min(...limits));
}

/** The fewest replicas that the policies allow now: never more than there are. 10 % of 72 lets 8 go. */
export function lowerLimit(rules: ScalingRules, pace: Pace): number {
  if (rules.selectPolicy === 'Disabled' || rules.policies.length === 0) return pace.current;
  const limits = rules.policies.map((policy) => {
    const start = atStart(policy, pace);
    if (policy.type === 'Pods') return start - policy.value;
    return Math.floor((start * (100 - policy.value)) / 100);
  });
  const limit = pick(rules) === 'largest' ? Math.min(...limits) : Math.max(...limits);
  return Math.max(0, Math.min(pace.current, limit));
}

function pick(rules: ScalingRules): 'largest' | 'smallest' {
  return rules.selectPolicy === 'Max' ? 'largest' : 'smallest';
}

/** Replicas when the policy's period began: what there is, less what this period has changed already. */
function atStart(policy: ScalingPolicy, { current, events, now }: Pace): number {
  const since = now - policy.periodSeconds * 1000;
  return events.reduce((count, event) => (event.at > since ? count - event.change : count), current);
}
