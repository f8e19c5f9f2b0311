import { expect, test } from '@jest/globals';
import type { ConditionType } from '../../api/status.ts';
import { QUIET, set, statusFor, there, WHOLE, without, type Case } from './testing.ts';

function said(type: ConditionType, given: Case): string {
  const { reason, message } = statusFor(given).conditions!.find((condition) => condition.type === type)!;
  return `${reason}: ${message}`;
}

const changing = ['Updating Deployment hc-worker (spec.template.spec.containers[0].image)'];
const suspended = {
  ...({ component: 'worker', reason: 'TooManyUnhealthy' } as const),
  message: '2/4 unhealthy exceeds maxUnhealthyPercent (40%)',
};

const cases: [string, ConditionType, Case, string][] = [
  ['no problem', 'Degraded', {}, 'AsExpected: No problems detected'],
  ['a finished rollout', 'Progressing', {}, 'Complete: All components match the spec'],
  ['a change', 'Progressing', { findings: { changing } }, `RollingOut: ${changing[0]}`],
  [
    'a healthy replica set',
    'StoreReady',
    {},
    'Healthy: The replica set has a primary, and all members are healthy',
  ],
  [
    'a member that is unavailable',
    'StoreReady',
    { mongo: { members: WHOLE.members.slice(1) } },
    `MemberUnavailable: The replica set has a primary, but members are unavailable: ${WHOLE.members[0]!.host}`,
  ],
  ['all brokers', 'BusReady', {}, 'Healthy: 3/3 brokers available'],
  [
    'some brokers',
    'BusReady',
    { children: without('hc-kafka', set('kafka', 2)) },
    'BrokerUnavailable: 2/3 brokers available',
  ],
  [
    'replicas that change',
    'Progressing',
    { children: without('hc-worker', there('worker', { readyReplicas: 3, availableReplicas: 3 }, 5)) },
    'ReplicasUpdating: worker: 3/5 pods ready',
  ],
  [
    'a volume that is being resized',
    'Progressing',
    { findings: { resizing: [{ claim: 'c', message: 'Resizing c from 10Gi to 20Gi' }] } },
    'ReplicasUpdating: Resizing c from 10Gi to 20Gi',
  ],
  [
    'a suspended replacement',
    'Degraded',
    { findings: { healing: { ...QUIET.healing, holds: [suspended] } } },
    `TooManyUnhealthy: worker: Replacement suspended: ${suspended.message}`,
  ],
];

test.each(cases)('the condition words %s', (_, type, given, expected) => {
  expect(said(type, given)).toBe(expected);
});

test('the condition Degraded warns of a path that does not work', () => {
  const spec = { ingress: { enabled: true, className: 'contour', path: '/hash' } };
  expect(said('Degraded', { spec })).toMatch(
    /^IngressPathUnsupported: ingress\.path \/hash is not taken off/,
  );
});
