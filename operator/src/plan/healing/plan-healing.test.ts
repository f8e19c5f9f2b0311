import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../../api/spec.ts';
import type { KubeObject, Pod } from '../kube.ts';
import type { LedgerEntry } from '../observed.ts';
import { NOW, ago, deployment, pod, pods, type SceneOptions } from '../testing/scene.ts';
import { planFor } from '../testing/healing.ts';

/** Unready for longer than is borne. */
const ILL = { ready: false, changed: 181 };

/** So many workers, of which some are replaced by others of the same names. */
function workers(count: number, ...others: readonly Pod[]): Pod[] {
  const names = others.map(({ metadata }) => metadata.name);
  return [...pods(count).filter(({ metadata }) => !names.includes(metadata.name)), ...others];
}

function waiting(reason: string, restartCount = 0): Pod['status'] {
  const image = 'hashcluster:1';
  return {
    containerStatuses: [
      { name: 'worker', ready: false, restartCount, image, state: { waiting: { reason } } },
    ],
  };
}

/** The ledger's word of a replacement, seconds ago. */
function replaced(
  seconds: number,
  changes: Partial<Extract<LedgerEntry, { kind: 'disruption' }>> = {},
): LedgerEntry {
  const entry = { component: 'worker', pod: 'gone', uid: 'uid-gone', reason: 'Unready', attempt: 1 } as const;
  return { kind: 'disruption', at: NOW - seconds * 1000, ...entry, ...changes };
}

describe('what is wrong with a pod', () => {
  const PENDING = { phase: 'Pending' as const };
  const unscheduled = (changed: number): Pod['status'] => ({
    ...PENDING,
    conditions: [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: ago(changed) },
    ],
  });
  test.each([
    { says: 'it is ready', one: pod('a'), expected: [] },
    {
      says: 'it lost its readiness just now',
      one: pod('a', { ready: false, changed: 10 }),
      expected: ['a Unready not due'],
    },
    { says: 'it lost its readiness long ago', one: pod('a', ILL), expected: ['a Unready'] },
    { says: 'it starts', one: pod('a', { ready: false, started: 500 }), expected: [] },
    {
      says: 'it has been starting for too long',
      one: pod('a', { ready: false, started: 601 }),
      expected: ['a Unready'],
    },
    {
      says: 'it is not created',
      one: pod('a', { ready: false, started: 601, status: PENDING }),
      expected: ['a StuckCreating'],
    },
    {
      says: 'it crashes',
      one: pod('a', { ready: false, changed: 60, status: waiting('CrashLoopBackOff', 4) }),
      expected: ['a CrashLoop not due'],
    },
    {
      says: 'it has crashed often',
      one: pod('a', { ready: false, changed: 9, status: waiting('CrashLoopBackOff', 5) }),
      expected: ['a CrashLoop'],
    },
    {
      says: 'its image is not there',
      one: pod('a', { ...ILL, status: waiting('ImagePullBackOff') }),
      expected: ['a ImagePull'],
    },
    {
      says: 'its image has no name',
      one: pod('a', { ...ILL, status: waiting('InvalidImageName') }),
      expected: ['a BadSpec'],
    },
    {
      says: 'a Secret is missing',
      one: pod('a', { ...ILL, status: waiting('CreateContainerConfigError') }),
      expected: ['a BadSpec'],
    },
    {
      says: 'it fits on no node',
      one: pod('a', { ready: false, status: unscheduled(200) }),
      expected: ['a Unschedulable'],
    },
    {
      says: 'it fits on no node yet',
      one: pod('a', { ready: false, status: unscheduled(20) }),
      expected: ['a Unschedulable not due'],
    },
    { says: 'it leaves', one: pod('a', { ...ILL, leaving: 10 }), expected: [] },
    { says: 'it does not go', one: pod('a', { ...ILL, leaving: 301 }), expected: ['a StuckTerminating'] },
    {
      says: 'it has failed, and was replaced',
      one: pod('a', { ...ILL, status: { phase: 'Failed' } }),
      expected: [],
    },
  ])('is seen: $says', ({ one, expected }) => {
    expect(planFor([...pods(9), one]).ill).toEqual(expected);
  });
});

describe('a pod that is ill', () => {
  test('is evicted, and this is remembered and told', () => {
    const { actions } = planFor(workers(5, pod('worker-2', ILL)));
    const why = 'Unready: worker-2 runs, but is not ready';
    expect(actions).toEqual([
      {
        kind: 'evict',
        ref: { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name: 'worker-2', uid: 'uid-worker-2' },
        why,
      },
      { kind: 'remember', entry: replaced(0, { pod: 'worker-2', uid: 'uid-worker-2' }), why },
      { kind: 'event', type: 'Warning', reason: 'PodReplaced', message: why },
    ]);
  });

  test.each([1, 2])('is evicted although it is one of only %d', (count) => {
    expect(planFor(workers(count, pod('worker-0', ILL))).evicted).toEqual(['worker-0']);
  });

  test('waits for its turn behind the one that has been ill longest', () => {
    const all = workers(9, pod('worker-1', ILL), pod('worker-2', { ...ILL, changed: 400, node: 'node-2' }));
    expect(planFor(all).evicted).toEqual(['worker-2']);
  });

  test('of one component waits for that of another', () => {
    const all = [
      ...workers(5, pod('worker-1', ILL)),
      ...pods(4, { component: 'endpoint' }),
      pod('endpoint-9', { ...ILL, component: 'endpoint' }),
    ];
    expect(planFor(all)).toMatchObject({ evicted: ['endpoint-9'], held: ['worker InProgress'] });
  });

  test('is only looked at while it may recover', () => {
    expect(planFor(workers(5, pod('worker-2', { ready: false, changed: 60 }))).actions).toEqual([]);
  });
});

describe('nothing is evicted', () => {
  const one = workers(5, pod('worker-0', ILL));
  const [first, second, third] = [0, 1, 2].map((index) =>
    pod(`worker-${index}`, { ...ILL, node: `node-${index}` }),
  );
  const sameNode = [0, 1].map((index) => pod(`worker-${index}`, { ...ILL, node: 'node-9' }));
  const crash = { ready: false, status: waiting('CrashLoopBackOff', 9), image: 'hashcluster:2' };
  const off: ClusterSpecInput = { healing: { enabled: false } };
  const rolling = [deployment('worker', 5, { updatedReplicas: 1 })];
  const cases: { says: string; all: readonly Pod[]; more?: SceneOptions; reason: string }[] = [
    { says: 'healing is off', all: one, more: { spec: off }, reason: 'HealingDisabled' },
    { says: 'the view is old', all: one, more: { viewAt: NOW - 151_000 }, reason: 'StaleView' },
    { says: 'a version is rolled out', all: one, more: { children: rolling }, reason: 'RolloutInProgress' },
    { says: 'more than 40 % are ill', all: workers(7, first!, second!, third!), reason: 'TooManyUnhealthy' },
    {
      says: 'half are ill, though not all for long',
      all: workers(4, first!, pod('worker-1', { ready: false, changed: 5 })),
      reason: 'TooManyUnhealthy',
    },
    { says: 'all who are ill are on one node', all: workers(9, ...sameNode), reason: 'SameNode' },
    { says: 'the image never ran', all: workers(5, pod('worker-0', crash)), reason: 'ImageNeverRan' },
    {
      says: 'a Secret is missing',
      all: workers(5, pod('worker-0', { ...ILL, status: waiting('CreateContainerConfigError') })),
      reason: 'NotCurable',
    },
    {
      says: 'a pod is being replaced and still there',
      all: one,
      more: { ledger: [replaced(5, { uid: 'uid-worker-3' })] },
      reason: 'InProgress',
    },
    {
      says: 'its replacement is not ready',
      all: workers(6, one[4]!, pod('new', { ready: false, started: 5 })),
      more: { ledger: [replaced(9)] },
      reason: 'InProgress',
    },
    {
      says: 'its replacement is missing',
      all: one,
      more: { ledger: [replaced(9)], children: [deployment('worker', 6)] },
      reason: 'InProgress',
    },
    { says: 'somebody drains a node', all: [...one, pod('leaves', { leaving: 5 })], reason: 'InProgress' },
    {
      says: 'the budget is spent',
      all: one,
      more: { ledger: [1, 2, 3, 4, 5].map((minute) => replaced(minute * 60)) },
      reason: 'BudgetSpent',
    },
  ];
  test.each(cases)('while $says', ({ all, more, reason }) => {
    const { evicted, held } = planFor(all, more);
    expect({ evicted, held }).toEqual({ evicted: [], held: [`worker ${reason}`] });
  });

  test('in a cluster that is paused or being deleted', () => {
    expect(planFor(one, { spec: { paused: true } }).ill).toEqual([]);
    expect(planFor(one, { deleting: true }).ill).toEqual([]);
  });
});

describe('what holds no longer', () => {
  const one = workers(5, pod('worker-0', ILL));
  const failed = { updatedReplicas: 1, conditions: [{ reason: 'ProgressDeadlineExceeded' }] };
  const cases: { says: string; all?: readonly Pod[]; more: SceneOptions }[] = [
    { says: 'a rollout that has given up', more: { children: [deployment('worker', 5, failed)] } },
    { says: 'a replacement that took too long', more: { ledger: [replaced(601, { uid: 'uid-worker-3' })] } },
    { says: 'a replacement that is ready', more: { ledger: [replaced(40)] } },
    { says: 'a pod that does not go', all: [...one, pod('lost', { leaving: 61 })], more: {} },
    {
      says: 'a budget of a time that is over',
      more: { ledger: [11, 12, 13, 14, 15].map((minute) => replaced(minute * 60)) },
    },
  ];
  test.each(cases)('is $says', ({ all = one, more }) => {
    expect(planFor(all, more).evicted).toEqual(['worker-0']);
  });
});

describe('a replacement that is ill again', () => {
  /** Made 5 s after the one before it was evicted, and ill ever since. */
  const again = (age: number) => workers(5, pod('worker-0', { ...ILL, started: age, changed: age - 100 }));
  test.each([
    { attempt: 1, age: 605, evicted: ['worker-0'], nth: 2 },
    { attempt: 4, age: 605, evicted: ['worker-0'], nth: 5 },
    { attempt: 5, age: 400, evicted: [], nth: null },
    { attempt: 5, age: 605, evicted: ['worker-0'], nth: 6 },
    { attempt: 30, age: 500, evicted: [], nth: null },
    { attempt: 30, age: 605, evicted: ['worker-0'], nth: 31 },
  ])('after $attempt attempts and $age s is evicted: $evicted', ({ attempt, age, evicted, nth }) => {
    const plan = planFor(again(age), { ledger: [replaced(age + 5, { attempt })] });
    expect(plan.evicted).toEqual(evicted);
    if (nth === null) expect(plan.held).toEqual(['worker BackingOff']);
    else expect(plan.actions[1]).toMatchObject({ entry: { attempt: nth } });
  });

  test('begins anew after ten healthy minutes', () => {
    const all = workers(5, pod('worker-0', { ...ILL, started: 1_000 }));
    expect(planFor(all, { ledger: [replaced(1_005, { attempt: 9 })] }).actions[1]).toMatchObject({
      entry: { attempt: 1 },
    });
  });

  test('is another one when it is older than the eviction', () => {
    const ledger = [replaced(40, { attempt: 9 })];
    expect(planFor(workers(5, pod('worker-0', ILL)), { ledger }).actions[1]).toMatchObject({
      entry: { attempt: 1 },
    });
  });
});

test('a member that catches up with the replica set is left alone', () => {
  const host = 'mongodb-0.hc-mongodb.ns.svc:27017';
  const members = [{ host, state: 'STARTUP2', healthy: true }];
  const value = { config: null, members, primary: null, users: null, identities: [], disks: [] };
  const all = [
    ...pods(3, { component: 'mongodb' }).slice(1),
    pod('mongodb-0', { ...ILL, component: 'mongodb' }),
  ];
  const plan = planFor(all, { readings: { mongo: { at: NOW, value } } });
  expect(plan).toMatchObject({ evicted: [], held: ['mongodb NotCurable'] });
  expect(planFor(all).evicted).toEqual(['mongodb-0']);
});

test('a hold says what suspends the replacement', () => {
  const ill = [0, 1].map((index) => pod(`worker-${index}`, { ...ILL, node: `node-${index}` }));
  const note = planFor(workers(4, ...ill)).actions.at(-1);
  expect(note).toMatchObject({
    reason: 'HealingTooManyUnhealthy',
    message: expect.stringMatching(
      /^Replacement suspended: 2\/4 unhealthy exceeds maxUnhealthyPercent \(40%\): worker-0/,
    ),
  });
});

test('a hold is told when it begins, when its reason changes, and every ten minutes', () => {
  const all = workers(5, pod('worker-0', { ...ILL, status: waiting('CreateContainerConfigError') }));
  const told = (ledger: readonly LedgerEntry[]) => planFor(all, { ledger }).actions.map(({ kind }) => kind);
  const hold = (seconds: number, reason = 'NotCurable'): LedgerEntry => {
    return { kind: 'hold', at: NOW - seconds * 1000, component: 'worker', reason };
  };
  expect(told([])).toEqual(['remember', 'event']);
  expect(told([hold(599)])).toEqual([]);
  expect(told([hold(600)])).toEqual(['remember', 'event']);
  expect(told([hold(5, 'StaleView')])).toEqual(['remember', 'event']);
});

test('pods of a StatefulSet are known again by their names', () => {
  const all = [
    ...pods(3, { component: 'kafka' }).slice(1),
    pod('kafka-0', { ...ILL, component: 'kafka', started: 300 }),
  ];
  const children: KubeObject[] = [];
  const ledger = [replaced(400, { component: 'kafka', pod: 'kafka-0', uid: 'old', attempt: 2 })];
  expect(planFor(all, { ledger, children }).actions[1]).toMatchObject({ entry: { attempt: 3 } });
  const other = [replaced(400, { component: 'kafka', pod: 'kafka-1', uid: 'old', attempt: 2 })];
  expect(planFor(all, { ledger: other, children }).actions[1]).toMatchObject({ entry: { attempt: 1 } });
});
