import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Pod } from '../kube.ts';
import type { LedgerEntry, Observed } from '../observed.ts';
import { NOW, deployment, endpoint, pod, report, scene, worker } from '../testing/scene.ts';
import { disruptionsOf } from './backoff.ts';
import { planHealing } from './plan-healing.ts';

/** Checking a spec takes long, so one is made for all. */
const EMPTY = scene();

const reason = fc.constantFrom(null, 'CrashLoopBackOff', 'ImagePullBackOff', 'CreateContainerConfigError');
const one = fc.record({
  ready: fc.boolean(),
  started: fc.integer({ min: 1, max: 2_000 }),
  changed: fc.integer({ min: 1, max: 1_000 }),
  node: fc.constantFrom('node-1', 'node-2', 'node-3'),
  leaving: fc.option(fc.integer({ min: -30, max: 400 }), { freq: 10 }),
  reason,
  heard: fc.boolean(),
});
type One = typeof one extends fc.Arbitrary<infer T> ? T : never;

const disruption = fc.record({
  kind: fc.constant('disruption' as const),
  at: fc.integer({ min: NOW - 1_200_000, max: NOW - 1 }),
  component: fc.constant('worker' as const),
  pod: fc.constant('gone'),
  uid: fc.constantFrom('uid-worker-0', 'uid-gone'),
  reason: fc.constant('Unready'),
  attempt: fc.integer({ min: 1, max: 20 }),
});

const setting = fc.record({
  ones: fc.array(one, { minLength: 1, maxLength: 12 }),
  ledger: fc.array(disruption, { maxLength: 6 }).map((all) => all.toSorted((a, b) => a.at - b.at)),
  viewAge: fc.constantFrom(1_000, 200_000),
});

function podOf({ leaving, reason: why, started, changed, ...rest }: One, index: number): Pod {
  const containers = [
    { name: 'worker', ready: false, restartCount: 9, state: { waiting: { reason: why ?? '' } } },
  ];
  return pod(`worker-${index}`, {
    ...{ ...rest, started, changed: Math.min(changed, started) },
    ...(leaving !== null && { leaving }),
    ...(why !== null && !rest.ready && { status: { containerStatuses: containers } }),
  });
}

function observe(ones: readonly One[], ledger: readonly LedgerEntry[], viewAge: number): Observed {
  const pods = ones.map(podOf);
  const heard = pods.filter((_, index) => ones[index]!.heard).map(({ metadata }) => worker(metadata.name));
  return {
    ...EMPTY,
    viewAt: NOW - viewAge,
    children: [deployment('worker', pods.length)],
    pods: [...pods, pod('endpoint-0', { component: 'endpoint' })],
    readings: { ...EMPTY.readings, endpoints: [endpoint(report(pods.length, 0), heard)] },
    ledger,
  };
}

test('whatever is observed, at most one pod is evicted, which is ill, and only when nothing forbids it', () => {
  fc.assert(
    fc.property(setting, ({ ones, ledger, viewAge }) => {
      const observed = observe(ones, ledger, viewAge);
      const { patients, holds, actions } = planHealing(observed);
      const evicted = actions.filter((action) => action.kind === 'evict');
      expect(evicted.length).toBeLessThanOrEqual(1);
      for (const { ref } of evicted) {
        const patient = patients.find(({ pod: { metadata } }) => metadata.uid === ref.uid);
        expect(patient).toMatchObject({ isDue: true, isCurable: true });
        expect(viewAge).toBe(1_000);
        const { healing } = observed.cluster.spec;
        const spent = disruptionsOf(ledger).filter(
          ({ at }) => NOW - at < healing.budget.periodSeconds * 1000,
        );
        expect(spent.length).toBeLessThan(healing.budget.evictions);
        const ill = patients.filter(
          ({ pod: { metadata } }) => metadata.deletionTimestamp === undefined,
        ).length;
        expect(ill <= 1 || ill <= ones.length * 0.4).toBe(true);
      }
      const due = patients.filter(({ isDue }) => isDue);
      expect(due.length === 0).toBe(evicted.length === 0 && holds.length === 0);
    }),
  );
});

test('a pod that was evicted is not evicted again while it is still seen', () => {
  fc.assert(
    fc.property(setting, ({ ones }) => {
      const observed = observe(ones, [], 1_000);
      const { actions } = planHealing(observed);
      const entries = actions.flatMap((action) => (action.kind === 'remember' ? [action.entry] : []));
      const next = planHealing({ ...observed, now: NOW + 20_000, ledger: entries, viewAt: NOW + 20_000 });
      const evicted = (list: typeof actions) => list.filter(({ kind }) => kind === 'evict');
      if (evicted(actions).length > 0) expect(evicted(next.actions)).toEqual([]);
    }),
  );
});
