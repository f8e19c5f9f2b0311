import type { ScalingBehavior } from '../../api/role-spec.ts';

type Policy = ScalingBehavior['policies'][number];

/** What the policies are asked about. */
export interface Pace {
  readonly current: number;
  /** How many replicas came (negative: went) within the last seconds. */
  readonly changed: (seconds: number) => number;
}

/**
 * The most replicas that the policies allow now: never fewer than there are. `Max` takes the policy that allows the
 * largest change, `Min` the smallest. Percentages are rounded up, so that one replica can become two.
 */
export function upperLimit(rules: ScalingBehavior, pace: Pace): number {
  if (rules.selectPolicy === 'Disabled' || rules.policies.length === 0) return pace.current;
  const limits = rules.policies.map((policy) => {
    const start = atStart(policy, pace);
    if (policy.type === 'Pods') return start + policy.value;
    return Math.ceil((Math.max(1, start) * (100 + policy.value)) / 100);
  });
  return Math.max(pace.current, pick(rules) === 'largest' ? Math.max(...limits) : Math.min(...limits));
}

/** The fewest replicas that the policies allow now: never more than there are. 10 % of 72 lets 8 go. */
export function lowerLimit(rules: ScalingBehavior, pace: Pace): number {
  if (rules.selectPolicy === 'Disabled' || rules.policies.length === 0) return pace.current;
  const limits = rules.policies.map((policy) => {
    const start = atStart(policy, pace);
    if (policy.type === 'Pods') return start - policy.value;
    return Math.floor((start * (100 - policy.value)) / 100);
  });
  const limit = pick(rules) === 'largest' ? Math.min(...limits) : Math.max(...limits);
  return Math.max(0, Math.min(pace.current, limit));
}

function pick(rules: ScalingBehavior): 'largest' | 'smallest' {
  return rules.selectPolicy === 'Max' ? 'largest' : 'smallest';
}

/** Replicas when the policy's period began: what there is, less what this period has changed already. */
function atStart({ periodSeconds }: Policy, { current, changed }: Pace): number {
  return current - changed(periodSeconds);
}
