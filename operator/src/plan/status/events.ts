import type { ClusterStatus, Condition, ConditionType } from '../../api/status.ts';
import type { ActionOf } from '../action.ts';
import { FIELDS_OVERWRITTEN } from '../overwritten.ts';

/** Conditions whose change is news, and whether `True` is good news. */
const TOLD: readonly (readonly [ConditionType, boolean])[] = [
  ['Ready', true],
  ['Degraded', false],
];

/** Reasons for not being ready that somebody has asked for. */
const AS_ASKED: ReadonlySet<string> = new Set(['RollingOut', 'Deleting', 'Paused', 'WorkersStarting']);

/** Reasons with Events of their own: the change of a condition would tell the same in other words. */
const TOLD_APART: ReadonlySet<string> = new Set([
  ...['VolumeLost', 'MajorityLost', 'ReplicaSetLost', 'OlderData'],
  FIELDS_OVERWRITTEN,
]);

function conditionOf(status: ClusterStatus | undefined, type: ConditionType): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Events for what has changed between two statuses: a cluster that becomes ready or is no longer so, and what is wrong. */
export function statusEvents(before: ClusterStatus | undefined, after: ClusterStatus): ActionOf<'event'>[] {
  return TOLD.flatMap(([type, good]) => {
    const [was, is] = [conditionOf(before, type), conditionOf(after, type)];
    const isNews = is !== undefined && was?.status !== is.status && !TOLD_APART.has(is.reason);
    // What begins is neither ready nor degraded, and nobody needs to be told.
    if (!isNews || (was === undefined && is.status !== 'True')) return [];
    const isGood = (is.status === 'True') === good || AS_ASKED.has(is.reason);
    return [{ kind: 'event', type: isGood ? 'Normal' : 'Warning', reason: is.reason, message: is.message }];
  });
}
