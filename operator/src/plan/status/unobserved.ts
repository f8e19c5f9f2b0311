import type { ClusterStatus, Condition } from '../../api/status.ts';
import type { HashCluster } from '../../api/hash-cluster.ts';
import { FAILING_MS, type ObservedFailure } from '../observed.ts';
import { no, yes, type Verdict } from './verdict.ts';

const MAX_MESSAGE = 4096;

/**
 * The status before, with the failure to read what a plan needs: `Degraded`, and not `Ready` once it has lasted for 30 s.
 * Everything else is left as it was last seen. Null: that is what it says already.
 */
export function unobservedStatus(
  { metadata: { generation }, status: before }: HashCluster,
  { ref, reason = 'ObservationFailed', message, since }: ObservedFailure,
  now: number,
): ClusterStatus | null {
  const says = `${ref}: ${message}`;
  const verdicts: Readonly<Record<string, Verdict>> = {
    Degraded: yes(reason, `The state of the cluster could not be read: ${says}`),
    ...(now - since >= FAILING_MS && {
      Ready: no(
        'ActionFailing',
        `The operator has tried in vain for ${FAILING_MS / 1000} s or longer: ${says}`,
      ),
    }),
  };
  const known = before?.conditions ?? [];
  const changed = Object.entries(verdicts).map(([type, verdict]) => {
    return conditionOf(type, verdict, {
      before: known.find((one) => one.type === type),
      ...{ now, generation },
    });
  });
  const isSame = changed.every((condition) => known.includes(condition));
  if (isSame) return null;
  const types = new Set(changed.map(({ type }) => type));
  return { ...before, conditions: [...known.filter(({ type }) => !types.has(type)), ...changed] };
}

interface Before {
  readonly before: Condition | undefined;
  readonly now: number;
  readonly generation: number;
}

function conditionOf(
  type: Condition['type'],
  verdict: Verdict,
  { before, now, generation }: Before,
): Condition {
  const message = verdict.message.slice(0, MAX_MESSAGE);
  const isSame = before?.status === verdict.status;
  if (isSame && before.reason === verdict.reason && before.message === message) return before;
  const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    type,
    ...verdict,
    message,
    observedGeneration: generation,
    lastTransitionTime: isSame ? before.lastTransitionTime : at,
  };
}
