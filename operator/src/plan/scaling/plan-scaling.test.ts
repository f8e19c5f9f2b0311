import { describe, expect, test } from '@jest/globals';
import type { ClusterSpecInput } from '../../api/spec.ts';
import type { Action } from '../action.ts';
import type { Pod } from '../kube.ts';
import type { LedgerEntry, WorkerReport } from '../observed.ts';
import {
  NOW,
  deployment,
  endpoint,
  pod,
  pods,
  report,
  scene,
  worker,
  type SceneOptions,
} from '../testing/scene.ts';
import { DELETION_COST } from './choose.ts';
import { planScaling } from './plan-scaling.ts';

const OFF = { enabled: false };
type Input = NonNullable<ClusterSpecInput>;
type Scaling = NonNullable<NonNullable<Input['worker']>['scaling']>;

/** Scaled by the backlog alone, 60 s of it, from 2 to 12, as fast as can be. */
function spec(scaling: Scaling = {}): Input {
  const fast = {
    stabilizationWindowSeconds: 0,
    policies: [{ type: 'Pods' as const, value: 1_000, periodSeconds: 1 }],
  };
  const signals = { cpu: OFF, disk: OFF, oldestAge: OFF, backlog: { seconds: 60 } };
  const behavior = { scaleUp: fast, scaleDown: fast };
  return { worker: { replicas: { min: 2, max: 12 }, scaling: { ...signals, behavior, ...scaling } } };
}

interface Setting {
  readonly current?: number;
  readonly seconds?: number | null;
  readonly scaling?: Scaling;
  readonly ledger?: readonly LedgerEntry[];
  readonly status?: object;
  readonly all?: readonly Pod[];
  readonly rows?: readonly WorkerReport[];
  readonly more?: SceneOptions;
}

/** Remembered long ago, so that no window begins now. */
const KNOWN: LedgerEntry = { kind: 'recommendation', role: 'worker', at: NOW - 3_500_000, replicas: 4 };

function decideFor({ current = 4, seconds = 60, ledger = [KNOWN], ...rest }: Setting) {
  const { scaling, status, all = pods(current), rows = [], more = {} } = rest;
  const observed = scene({
    ...{ spec: spec(scaling), children: [deployment('worker', current, status)], pods: all, ledger },
    readings: { endpoints: [endpoint(report(current, seconds), rows)] },
    ...more,
  });
  const { decisions, actions } = planScaling(observed);
  return { decision: decisions[0]!, decisions, actions };
}

const kinds = (actions: readonly Action[]) => actions.map(({ kind }) => kind);

describe('more workers', () => {
  test('are asked for with what was seen, what follows from it, and an Event', () => {
    const { decision, actions } = decideFor({ current: 2, seconds: 300 });
    expect(decision).toMatchObject({ replicas: 10, limited: null, why: 'backlog 300 s / 60 s target → 10' });
    expect(actions).toMatchObject([
      { kind: 'remember', entry: { kind: 'recommendation', replicas: 10 } },
      { kind: 'scale', ref: { kind: 'Deployment', name: 'hc-worker' }, replicas: 10 },
      { kind: 'remember', entry: { kind: 'scale', from: 2, to: 10 } },
      { kind: 'event', reason: 'ScaledUp', message: 'Scaled workers 2→10: backlog 300 s / 60 s target → 10' },
    ]);
  });

  test('than the maximum are told to be wanted', () => {
    expect(decideFor({ seconds: 600 }).decision).toMatchObject({
      replicas: 12,
      limited: { reason: 'AtMaximum' },
    });
  });

  test('come no faster than the policies allow', () => {
    const scaleUp = { policies: [{ type: 'Pods' as const, value: 4, periodSeconds: 60 }] };
    const { decision } = decideFor({ seconds: 180, scaling: { behavior: { scaleUp } } });
    expect(decision).toMatchObject({ wanted: 12, replicas: 8, limited: { reason: 'ScaleUpLimit' } });
  });

  test('come when they have been wanted for the whole window', () => {
    const behavior = { scaleUp: { stabilizationWindowSeconds: 30 } };
    const low: LedgerEntry = { ...KNOWN, at: NOW - 20_000, replicas: 5 };
    const { decision } = decideFor({ seconds: 90, scaling: { behavior }, ledger: [low] });
    expect(decision).toMatchObject({ wanted: 6, replicas: 5, limited: { reason: 'ScaleUpStabilized' } });
    const old = { ...low, at: NOW - 30_000 };
    expect(decideFor({ seconds: 90, scaling: { behavior }, ledger: [old] }).decision.replicas).toBe(6);
  });

  test('come although another signal is unknown', () => {
    const { decision } = decideFor({ seconds: 120, scaling: { cpu: {} } });
    expect(decision).toMatchObject({ replicas: 8, limited: { reason: 'SignalUnknown' } });
  });
});

describe('fewer workers', () => {
  const IDLE = { jobs: 0, freeLanes: 8, backlogSeconds: 0 };
  const rows = [
    worker('worker-0', { backlogSeconds: 9 }),
    worker('worker-1', IDLE),
    worker('worker-2'),
    worker('worker-3', IDLE),
  ];
  const annotated = (name: string, marked: boolean) =>
    pod(name, marked ? { annotations: { [DELETION_COST]: '-1000' } } : {});

  test('are prepared by marking the idle ones, and nothing else', () => {
    const { decision, actions } = decideFor({ seconds: 30, rows });
    expect(decision.replicas).toBe(2);
    expect(actions.slice(1)).toMatchObject([
      {
        kind: 'annotate',
        ref: { name: 'worker-1', uid: 'uid-worker-1' },
        annotations: { [DELETION_COST]: '-1000' },
      },
      { kind: 'annotate', ref: { name: 'worker-3' } },
    ]);
  });

  test('are asked for once the marks are seen', () => {
    const all = ['worker-0', 'worker-1', 'worker-2', 'worker-3'].map((name, index) =>
      annotated(name, index % 2 === 1),
    );
    const { actions } = decideFor({ seconds: 30, rows, all });
    expect(kinds(actions)).toEqual(['remember', 'scale', 'remember', 'event']);
  });

  test('lose their marks when they are wanted after all', () => {
    const all = [annotated('worker-0', true), ...pods(4).slice(1)];
    const { actions } = decideFor({ all, rows });
    expect(actions.slice(1)).toMatchObject([{ kind: 'annotate', annotations: { [DELETION_COST]: null } }]);
  });

  test('keep their marks while they are being deleted', () => {
    const all = [annotated('worker-0', true), ...pods(4).slice(1)];
    const { actions } = decideFor({ current: 3, seconds: 60, all, rows, status: { replicas: 4 } });
    expect(kinds(actions)).toEqual(['remember']);
  });

  test.each([
    { says: 'a signal is unknown', setting: { scaling: { cpu: {} } }, reason: 'SignalUnknown' },
    {
      says: 'more were wanted lately',
      setting: { ledger: [{ ...KNOWN, at: NOW - 299_000 }], window: 300 },
      reason: 'ScaleDownStabilized',
    },
    { says: 'nothing is remembered', setting: { ledger: [], window: 300 }, reason: 'ScaleDownStabilized' },
    { says: 'scaling in is paused', setting: { scaling: { paused: 'In' as const } }, reason: 'PausedIn' },
    { says: 'all scaling is paused', setting: { scaling: { paused: 'Both' as const } }, reason: 'PausedIn' },
    { says: 'an earlier change is under way', setting: { status: { replicas: 5 } }, reason: 'Settling' },
    {
      says: 'the Deployment was not looked at yet',
      setting: { status: { observedGeneration: 0 } },
      reason: 'Settling',
    },
    { says: 'a version is rolled out', setting: { status: { updatedReplicas: 1 } }, reason: 'Settling' },
    {
      says: 'pods still drain',
      setting: { all: [...pods(4), pod('gone', { leaving: 10 })] },
      reason: 'Settling',
    },
    {
      says: 'the direction is disabled',
      setting: {
        scaling: {
          behavior: { scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Disabled' as const } },
        },
      },
      reason: 'ScaleDownLimit',
    },
  ])('are not asked for while $says', ({ setting, reason }) => {
    const { window, ...rest } = setting as Setting & { window?: number };
    const behavior = { scaleDown: { stabilizationWindowSeconds: window ?? 0 } };
    const { decision, actions } = decideFor({
      seconds: 0,
      ...(window && { scaling: { behavior } }),
      ...rest,
    });
    expect(decision).toMatchObject({ replicas: 4, limited: { reason } });
    expect(kinds(actions)).not.toContain('scale');
  });

  test('do not wait for a pod that should have gone long ago', () => {
    const all = [...pods(4), pod('lost', { leaving: 61 })];
    expect(decideFor({ seconds: 30, all }).decision.replicas).toBe(2);
  });

  test('are not asked for twice, when the Deployment that is seen is older than the first time', () => {
    const ledger: LedgerEntry[] = [KNOWN, { kind: 'scale', role: 'worker', at: NOW - 500, from: 4, to: 2 }];
    const { decision, actions } = decideFor({ seconds: 30, ledger });
    expect(decision).toMatchObject({ current: 2, replicas: 2 });
    expect(kinds(actions)).toEqual(['remember']);
  });
});

describe('bounds', () => {
  test('that are equal leave nothing to be limited', () => {
    const fixed = { worker: { ...spec().worker, replicas: { min: 4, max: 4 } } };
    for (const seconds of [600, null, 0]) {
      const { decision } = decideFor({ seconds, more: { spec: fixed } });
      expect(decision).toMatchObject({ replicas: 4, limited: null });
    }
  });

  test.each([
    {
      says: 'a new Deployment gets the minimum',
      ...{ current: 1, expected: 2, message: 'Scaled workers 1→2: below replicas.min (2)' },
    },
    {
      says: 'more than the maximum become the maximum',
      ...{ current: 15, expected: 12, message: 'Scaled workers 15→12: above replicas.max (12)' },
    },
  ])('hold at once: $says', ({ current, expected, message }) => {
    const scaling = { paused: 'Both' as const };
    const { decision, actions } = decideFor({ current, seconds: 60, ledger: [], scaling, all: [] });
    expect(decision.replicas).toBe(expected);
    expect(actions.at(-1)).toMatchObject({ kind: 'event', message });
  });

  test('hold although nothing is known', () => {
    const { decision } = decideFor({ current: 1, more: { readings: {} } });
    expect(decision.replicas).toBe(2);
  });
});

test('nothing is decided for a paused cluster, one that is being deleted, or a role without a Deployment', () => {
  const paused = decideFor({ more: { spec: { ...spec(), paused: true } } });
  const deleted = decideFor({ more: { deleting: true } });
  const missing = decideFor({ more: { children: [] } });
  expect([paused, deleted, missing].map(({ decisions, actions }) => [decisions, actions])).toEqual(
    Array<unknown>(3).fill([[], []]),
  );
});

test('a role that has what it wants is left alone, and only now and then noted down', () => {
  const recent: LedgerEntry = { ...KNOWN, at: NOW - 14_000 };
  expect(decideFor({ ledger: [recent] }).actions).toEqual([]);
  expect(kinds(decideFor({ ledger: [{ ...recent, at: NOW - 15_000 }] }).actions)).toEqual(['remember']);
});

test('endpoints are scaled by their CPU alone', () => {
  const observed = scene({
    spec: { endpoint: { resources: { limits: { cpu: '1' } }, scaling: { cpu: { utilization: 50 } } } },
    children: [deployment('endpoint', 2)],
    pods: pods(2, { component: 'endpoint' }),
    readings: {
      endpoints: [endpoint(report(2, 86_400))],
      usage: {
        at: NOW,
        value: ['endpoint-0', 'endpoint-1'].map((name) => ({
          pod: name,
          at: NOW,
          cpuCores: 1,
          memoryBytes: 0,
        })),
      },
    },
  });
  expect(planScaling(observed).decisions).toMatchObject([{ role: 'endpoint', replicas: 4 }]);
});
