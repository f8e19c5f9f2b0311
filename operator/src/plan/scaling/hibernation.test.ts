import { describe, expect, test } from '@jest/globals';
import type { ClusterReport, LedgerEntry } from '../observed.ts';
import { deployment, endpoint, NOW, pods, report, scene } from '../testing/scene.ts';
import { planScaling } from './plan-scaling.ts';

const fast = { stabilizationWindowSeconds: 0 };
const worker = { replicas: { min: 0, max: 4 }, scaling: { behavior: { scaleUp: fast, scaleDown: fast } } };

/** What endpoints say of so many workers and jobs. */
function said(workers: number, { queued = 0, running = 0 }): ClusterReport {
  const base = report(workers, queued + running === 0 ? 0 : workers === 0 ? null : 1, queued);
  return { ...base, backlog: { ...base.backlog, running } };
}

const USAGE = (count: number) => ({
  at: NOW,
  value: pods(count).map(({ metadata: { name } }) => ({ pod: name, at: NOW, cpuCores: 0, memoryBytes: 0 })),
});

function replicas(current: number, cluster: ClusterReport | null): { replicas: number; why: string } {
  const known: LedgerEntry = {
    kind: 'recommendation',
    role: 'worker',
    at: NOW - 3_500_000,
    replicas: current,
  };
  const observed = scene({
    ...{ spec: { worker }, children: [deployment('worker', current)], pods: pods(current), ledger: [known] },
    readings: {
      endpoints: cluster === null ? [] : [endpoint(cluster, [])],
      ...{ usage: USAGE(current), mongo: null, kafka: null },
    },
  });
  return planScaling(observed).decisions[0]!;
}

describe('with no workers at least', () => {
  test.each<[string, number, ClusterReport | null, number]>([
    ['none is left when there are no jobs', 1, said(1, {}), 0],
    ['one stays while a job waits', 1, said(1, { queued: 1 }), 1],
    ['one stays while a job runs', 1, said(1, { running: 1 }), 1],
    ['one stays while nobody says whether there are jobs', 1, null, 1],
    ['a job starts the first', 0, said(0, { queued: 1 }), 1],
    ['a job of a worker that was lost starts the first', 0, said(0, { running: 1 }), 1],
    ['none starts without jobs', 0, said(0, {}), 0],
    ['none starts while nobody says whether there are jobs', 0, null, 0],
  ])('%s', (_, current, cluster, expected) => {
    expect(replicas(current, cluster).replicas).toBe(expected);
  });

  test('the decision says why', () => {
    expect(replicas(0, said(0, { queued: 3 })).why).toBe('3 jobs queued or running → 1');
  });
});
