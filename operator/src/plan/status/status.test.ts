import { describe, expect, test } from '@jest/globals';
import type { ClusterStatus, ConditionType } from '../../api/status.ts';
import type { Observed } from '../observed.ts';
import { endpoint, NOW, report } from '../testing/scene.ts';
import { statusEvents } from './events.ts';
import { writingStatus } from './status.ts';
import {
  EXTERNAL,
  observe,
  QUIET,
  set,
  statusFor,
  store,
  there,
  WHOLE,
  without,
  type Case,
} from './testing.ts';

function conditions(given: Case): Record<string, string> {
  const entries = statusFor(given).conditions!.map(({ type, status, reason }) => [
    type,
    `${status} ${reason}`,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const HIBERNATING: Case = { spec: { worker: { replicas: { min: 0 } } } };
const failed = {
  type: 'Progressing',
  status: 'False',
  reason: 'ProgressDeadlineExceeded',
  message: 'no quota',
};

describe('conditions', () => {
  test.each<[string, Case, Partial<Record<ConditionType, string>>]>([
    [
      'of a cluster at rest',
      {},
      {
        Ready: 'True Ready',
        Available: 'True Serving',
        Progressing: 'False Complete',
        Degraded: 'False AsExpected',
        ScalingLimited: 'False NotLimited',
        StoreReady: 'True Healthy',
        BusReady: 'True Healthy',
      },
    ],
    [
      'of a cluster that was just made',
      { children: [], mongo: null },
      {
        Ready: 'False NotRunning',
        Available: 'False NoEndpoint',
        Progressing: 'True RollingOut',
        StoreReady: 'False NotRunning',
        BusReady: 'False BrokersUnavailable',
        Degraded: 'False AsExpected',
      },
    ],
    [
      'before the replica set is initiated',
      { mongo: { config: null, identities: [] } },
      { StoreReady: 'False NotInitiated' },
    ],
    [
      'without a primary',
      { mongo: { primary: null } },
      { StoreReady: 'False NoPrimary', Ready: 'False NoPrimary' },
    ],
    ['without a user', { mongo: { users: ['admin'] } }, { StoreReady: 'False UsersMissing' }],
    [
      'with a member of MongoDB away',
      { mongo: { members: WHOLE.members.slice(1) } },
      { StoreReady: 'True MemberUnavailable', Ready: 'True Ready', Degraded: 'True MemberUnavailable' },
    ],
    [
      'when MongoDB cannot be asked',
      { mongo: null },
      { StoreReady: 'Unknown NotKnown', Ready: 'False NotKnown' },
    ],
    [
      'when a broker is away',
      { children: without('hc-kafka', set('kafka', 2)) },
      { BusReady: 'True BrokerUnavailable', Progressing: 'True ReplicasUpdating', Ready: 'True Ready' },
    ],
    [
      'when most brokers are away',
      { children: without('hc-kafka', set('kafka', 1)) },
      { BusReady: 'False BrokersUnavailable', Available: 'True Serving' },
    ],
    [
      'without workers',
      { children: without('hc-worker', there('worker', { readyReplicas: 0 })) },
      { Available: 'False NoWorker', Ready: 'False NoWorker' },
    ],
    [
      'of workers that hibernate',
      { ...HIBERNATING, children: without('hc-worker', there('worker', {}, 0)) },
      { Available: 'True Hibernating', Ready: 'True Ready', Progressing: 'False Complete' },
    ],
    [
      'of workers that wake up',
      {
        ...HIBERNATING,
        children: without('hc-worker', there('worker', { readyReplicas: 0, availableReplicas: 0 }, 1)),
      },
      { Available: 'False WorkersStarting', Ready: 'False WorkersStarting' },
    ],
    [
      'while pods are replaced',
      { children: without('hc-worker', there('worker', { updatedReplicas: 1 })) },
      { Progressing: 'True RollingOut', Ready: 'False RollingOut' },
    ],
    [
      'while pods come, because more are asked for',
      { children: without('hc-worker', there('worker', { readyReplicas: 3, availableReplicas: 3 }, 5)) },
      { Progressing: 'True ReplicasUpdating', Ready: 'True Ready' },
    ],
    [
      'with fewer pods than there should be at least',
      { children: without('hc-worker', there('worker', { readyReplicas: 1, availableReplicas: 1 })) },
      { Available: 'True Serving', Ready: 'False TooFewPods' },
    ],
    [
      'when pods cannot be made',
      { children: without('hc-worker', there('worker', { conditions: [failed] })) },
      { Degraded: 'True ProgressDeadlineExceeded' },
    ],
    [
      'when the API server refuses something',
      { more: { refusals: [{ ref: 'Ingress/hc', message: 'bad class', since: NOW }] } },
      { Degraded: 'True Refused' },
    ],
    [
      'when an action has just failed',
      { more: { refusals: [{ ref: 'initiateMongo', message: 'no route', since: NOW - 29_000 }] } },
      { Ready: 'True Ready', Degraded: 'True Refused' },
    ],
    [
      'when an action has failed for half a minute',
      { more: { refusals: [{ ref: 'initiateMongo', message: 'no route', since: NOW - 30_000 }] } },
      { Ready: 'False ActionFailing', Degraded: 'True Refused' },
    ],
    [
      'when an action has failed for half a minute while MongoDB does not answer',
      {
        mongo: null,
        more: { refusals: [{ ref: 'Ingress/hc', message: '500', since: NOW - 30_000 }] },
      },
      { StoreReady: 'Unknown NotKnown', Ready: 'False ActionFailing', Degraded: 'True Refused' },
    ],
    [
      'when an action has failed for half a minute during a roll-out',
      {
        findings: { changing: ['Updating Deployment hc-worker'] },
        more: { refusals: [{ ref: 'Deployment/hc-worker', message: '500', since: NOW - 30_000 }] },
      },
      { Progressing: 'True RollingOut', Ready: 'False ActionFailing' },
    ],
    [
      'when a PodDisruptionBudget holds a pod for long',
      { more: { refusals: [{ ref: 'Pod hc-mongodb-0', message: 'budget', since: NOW - 99_000 }] } },
      { Ready: 'True Ready' },
    ],
    [
      'when a volume cannot grow',
      { findings: { stuck: [{ claim: 'c', message: 'too small' }] } },
      { Degraded: 'True VolumeResizeFailed' },
    ],
    [
      'when nothing is healed on purpose',
      {
        findings: {
          healing: {
            ...QUIET.healing,
            holds: [{ component: 'worker', reason: 'TooManyUnhealthy', message: '3 of 4' }],
          },
        },
      },
      { Degraded: 'True TooManyUnhealthy' },
    ],
    [
      'when there is no Gateway API',
      { spec: { ingress: { enabled: true, type: 'HTTPRoute', parentRefs: [{ name: 'g' }] } } },
      { Degraded: 'True NoGatewayApi' },
    ],
    [
      'while it is paused',
      { spec: { paused: true } },
      { Ready: 'True Paused', Progressing: 'False Paused', ScalingLimited: 'True Paused' },
    ],
    ['while it is deleted', { deleting: true }, { Progressing: 'True Deleting', Ready: 'False Deleting' }],
    [
      'with an external store that is reached',
      { spec: EXTERNAL, more: { secrets: [store] } },
      { StoreReady: 'True Reached', BusReady: 'Unknown External', Ready: 'True Ready' },
    ],
    [
      'with a Secret that is missing',
      { spec: EXTERNAL },
      {
        StoreReady: 'False SecretMissing',
        Degraded: 'True SecretMissing',
        Progressing: 'False SecretMissing',
      },
    ],
  ])('%s', (_, given, expected) => {
    expect(conditions(given)).toMatchObject(expected);
  });

  test('all say which spec they are about', () => {
    for (const { observedGeneration } of statusFor({}).conditions!) expect(observedGeneration).toBe(1);
  });

  test('name what to do', () => {
    const found = statusFor({ spec: EXTERNAL }).conditions!.find(({ type }) => type === 'StoreReady');
    expect(found?.message).toMatch(/Secret store does not exist\. Create it/);
  });

  test('keep the time of their last change, and take a new one only then', () => {
    const first = statusFor({});
    const later = { more: { now: NOW + 60_000 }, status: first };
    const times = (status: ClusterStatus) =>
      status.conditions!.map(({ lastTransitionTime }) => lastTransitionTime);
    // The reading is a minute older then, and only just believed.
    expect(times(statusFor(later))).toEqual(times(first));
    const changed = statusFor({ ...later, mongo: { primary: null } }).conditions!;
    const moved = changed.filter(({ lastTransitionTime }) => lastTransitionTime === '2026-11-25T12:01:00Z');
    expect(moved.map(({ type }) => type)).toEqual(['Ready', 'StoreReady']);
  });
});

describe('the status', () => {
  const written = (given: Case) => {
    const observed = observe(given);
    return writingStatus({ cluster: observed.cluster, observed }, { ...QUIET, ...given.findings });
  };

  test('is written once', () => {
    expect(written({})).not.toBeNull();
    expect(written({ status: statusFor({}) })).toBeNull();
  });

  test.each([
    [59, false],
    [60, true],
  ])('is written again after %i s although it says nothing new: %s', (seconds, again) => {
    const at = new Date(NOW - seconds * 1000).toISOString().replace('.000Z', 'Z');
    const status = { ...statusFor({}), observedAt: at };
    expect(written({ status }) !== null).toBe(again);
  });

  const backlog = (seconds: number | null): Partial<Observed> => ({
    readings: { ...observe({}).readings, endpoints: [endpoint(report(2, seconds, 40))] },
  });

  test('tells of the backlog', () => {
    expect(statusFor({ more: backlog(12.4) }).backlog).toEqual({ seconds: 12, queued: 40, oldestSeconds: 0 });
  });

  test('does not take an unknown backlog for none', () => {
    expect(statusFor({ more: backlog(null) }).backlog).not.toHaveProperty('seconds');
    expect(statusFor({})).not.toHaveProperty('backlog');
  });

  test.each<[number, number, number]>([
    [100, 105, 100],
    [100, 120, 120],
    [100, 0, 0],
    [0, 1, 1],
    [3, 2, 3],
  ])('tells of a backlog of %i that becomes %i as %i', (before, now, told) => {
    const status = statusFor({ more: backlog(before) });
    expect(statusFor({ more: backlog(now), status }).backlog?.seconds).toBe(told);
  });

  test('says what endpoints and workers run, and where they are found', () => {
    expect(statusFor({})).toMatchObject({
      version: 'hashcluster:1',
      worker: {
        selector:
          'app.kubernetes.io/name=hashcluster,app.kubernetes.io/instance=hc,app.kubernetes.io/component=worker',
      },
    });
  });

  test('has nothing to say of servers that are not its own', () => {
    expect(statusFor({ spec: EXTERNAL, more: { secrets: [store] } })).not.toHaveProperty('mongodb');
  });

  test('counts replaced pods once', () => {
    const entry = (at: number) => ({
      ...({ kind: 'disruption', at, component: 'worker', pod: 'w', uid: 'u', reason: 'CrashLoop' } as const),
    });
    const first = statusFor({ more: { ledger: [entry(NOW - 9000), entry(NOW - 5000)] } });
    expect(first.healing).toMatchObject({ replaced: 2, last: 'w: CrashLoop' });
    const again = statusFor({ status: first, more: { ledger: [entry(NOW - 5000), entry(NOW - 1000)] } });
    expect(again.healing).toMatchObject({ replaced: 3 });
  });
});

describe('events', () => {
  const calm = statusFor({});
  const down = statusFor({ mongo: { primary: null } });
  const rolling = statusFor({ findings: { changing: ['Updating Deployment hc-worker (spec.template)'] } });
  const wrong = statusFor({ more: { refusals: [{ ref: 'Ingress hc', message: 'bad class', since: NOW }] } });

  test.each<[string, ClusterStatus | undefined, ClusterStatus, readonly string[]]>([
    ['tell that a cluster has become ready', down, calm, ['Normal Ready']],
    ['tell so of one that is ready at the first look', undefined, calm, ['Normal Ready']],
    ['say nothing of one that only begins', undefined, down, []],
    ['tell that a cluster is no longer ready, and why', calm, down, ['Warning NoPrimary']],
    ['tell what is wrong', calm, wrong, ['Warning Refused']],
    ['tell that nothing is wrong any more', wrong, calm, ['Normal AsExpected']],
    ['tell of a roll-out as of what was asked for', calm, rolling, ['Normal RollingOut']],
    ['tell of a deletion likewise', calm, statusFor({ deleting: true }), ['Normal Deleting']],
    ['say nothing twice', wrong, wrong, []],
  ])('%s', (_, before, after, expected) => {
    expect(statusEvents(before, after).map(({ type, reason }) => `${type} ${reason}`)).toEqual(expected);
  });
});
