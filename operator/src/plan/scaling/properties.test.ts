import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ScalingBehavior } from '../../api/role-spec.ts';
import type { LedgerEntry, Observed, Reading, Readings } from '../observed.ts';
import { NOW, deployment, endpoint, pods, report, scene } from '../testing/scene.ts';
import type { RoleDecision } from './decision.ts';
import { compactLedger } from './history.ts';
import { planScaling } from './plan-scaling.ts';
import { lowerLimit, upperLimit } from './policies.ts';

const direction = fc.record({
  stabilizationWindowSeconds: fc.nat(600),
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('Pods' as const, 'Percent' as const),
      value: fc.integer({ min: 1, max: 200 }),
      periodSeconds: fc.integer({ min: 1, max: 1_800 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  selectPolicy: fc.constantFrom('Max' as const, 'Min' as const, 'Disabled' as const),
});

const at = fc.integer({ min: NOW - 700_000, max: NOW - 1 });
const replicas = fc.integer({ min: 1, max: 40 });
const entry = fc.oneof(
  fc.record({
    kind: fc.constant('recommendation' as const),
    role: fc.constant('worker' as const),
    at,
    replicas,
  }),
  fc.record({
    kind: fc.constant('scale' as const),
    role: fc.constant('worker' as const),
    at,
    from: replicas,
    to: replicas,
  }),
);
const ledger = fc.array(entry, { maxLength: 20 }).map((entries) => entries.toSorted((a, b) => a.at - b.at));

/** What is known; null: nothing. */
interface Facts {
  readonly seconds: number | null;
  readonly age: number;
  readonly cores: number | null;
  readonly disk: number | null;
}

const known = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 4 });
const facts: fc.Arbitrary<Facts> = fc.record({
  seconds: known(fc.integer({ min: 0, max: 10_000 })),
  age: fc.integer({ min: 0, max: 10_000 }),
  cores: known(fc.double({ min: 0, max: 2, noNaN: true })),
  disk: known(fc.double({ min: 0, max: 1, noNaN: true })),
});

interface Setting {
  readonly current: number;
  readonly bounds: { readonly min: number; readonly max: number };
  readonly tolerance: number;
  readonly up: ScalingBehavior;
  readonly down: ScalingBehavior;
  readonly ledger: readonly LedgerEntry[];
  readonly facts: Facts;
  readonly paused: 'None' | 'In' | 'Out' | 'Both';
}

const setting: fc.Arbitrary<Setting> = fc.record({
  current: replicas,
  bounds: fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(20))
    .map(([min, more]) => ({ min, max: min + more })),
  tolerance: fc.constantFrom(0, 0.1, 0.5),
  up: direction,
  down: direction,
  ledger,
  facts,
  paused: fc.constantFrom('None' as const, 'In' as const, 'Out' as const, 'Both' as const),
});

function read<T>(value: T | null): Reading<T> {
  return value === null ? { at: NOW, error: 'refused' } : { at: NOW, value };
}

/** One endpoint knows the backlog and the age, or neither. */
function readings(current: number, { seconds, age, cores, disk }: Facts): Readings {
  const cluster = report(current, seconds ?? 0, 100_000);
  const queued = cluster.backlog.queued.map((queue) => ({ ...queue, oldestSeconds: age }));
  const says = endpoint({ ...cluster, backlog: { ...cluster.backlog, queued } });
  const names = pods(current).map(({ metadata }) => metadata.name);
  return {
    usage: read(
      cores === null ? null : names.map((pod) => ({ pod, at: NOW, cpuCores: cores, memoryBytes: 0 })),
    ),
    endpoints: seconds === null ? [] : [says],
    mongo: read(
      disk === null
        ? null
        : {
            ...{ config: null, members: [], primary: null, users: null, identities: [] },
            disks: [{ host: 'a', used: disk, total: 1 }],
          },
    ),
    ...{ kafka: null, probes: [], creations: [] },
  };
}

/** Checking a spec takes long, so one is made for all. */
const EMPTY = scene();

function observe({ current, bounds, tolerance, up, down, ledger, facts, paused }: Setting): Observed {
  const { spec } = EMPTY.cluster;
  const behavior = { scaleUp: up, scaleDown: down };
  const scaling = { ...spec.worker.scaling, tolerance, paused, behavior };
  const worker = { ...spec.worker, replicas: bounds, scaling };
  return {
    ...EMPTY,
    cluster: { ...EMPTY.cluster, spec: { ...spec, worker } },
    children: [deployment('worker', current)],
    pods: pods(current),
    readings: readings(current, facts),
    ledger,
  };
}

function decisionFor(setting: Setting): RoleDecision {
  return planScaling(observe(setting)).decisions[0]!;
}

const whole = ({ seconds, age, cores, disk }: Facts) =>
  [seconds, age, cores, disk].every((fact) => fact !== null);
const isWithin = ({ current, bounds }: Setting) => current >= bounds.min && current <= bounds.max;
const fresh = (entries: readonly LedgerEntry[]) => entries.filter(({ at }) => at <= NOW - 10_000);

/** A change of our own that was not seen yet takes the place of what is seen. */
const settled = setting.map((one) => ({ ...one, ledger: fresh(one.ledger) }));

describe('a decision', () => {
  test('never leaves the bounds', () => {
    fc.assert(
      fc.property(setting, (one) => {
        const { replicas: count } = decisionFor(one);
        expect(count).toBeGreaterThanOrEqual(one.bounds.min);
        expect(count).toBeLessThanOrEqual(one.bounds.max);
      }),
    );
  });

  test('never goes down while something is unknown', () => {
    const partial = settled.filter((one) => isWithin(one) && !whole(one.facts));
    fc.assert(
      fc.property(partial, (one) => {
        const { replicas: count, limited } = decisionFor(one);
        expect(count).toBeGreaterThanOrEqual(one.current);
        // With equal bounds there is nothing to be limited.
        expect(limited === null).toBe(one.bounds.min === one.bounds.max);
      }),
    );
  });

  test('never goes further than the policies and the pause allow', () => {
    fc.assert(
      fc.property(settled.filter(isWithin), (one) => {
        const { current, up, down, paused } = one;
        const { replicas: count } = decisionFor(one);
        const changed = (seconds: number) =>
          one.ledger
            .filter((event) => event.kind === 'scale' && event.at > NOW - seconds * 1000)
            .reduce((sum, event) => (event.kind === 'scale' ? sum + event.to - event.from : sum), 0);
        expect(count).toBeLessThanOrEqual(upperLimit(up, { current, changed }));
        expect(count).toBeGreaterThanOrEqual(lowerLimit(down, { current, changed }));
        if (paused === 'Both') expect(count).toBe(current);
      }),
    );
  });

  test.each(['seconds', 'age', 'cores', 'disk'] as const)('never shrinks when %s grow', (name) => {
    fc.assert(
      fc.property(setting, fc.double({ min: 1, max: 10, noNaN: true }), (one, factor) => {
        const value = one.facts[name];
        fc.pre(value !== null);
        const grown = {
          ...one,
          facts: { ...one.facts, [name]: Math.min(value * factor, name === 'disk' ? 1 : Infinity) },
        };
        expect(decisionFor(grown).replicas).toBeGreaterThanOrEqual(decisionFor(one).replicas);
        expect(decisionFor(grown).wanted).toBeGreaterThanOrEqual(decisionFor(one).wanted);
      }),
    );
  });

  test('never goes below what the window has seen wanted', () => {
    fc.assert(
      fc.property(settled.filter(isWithin), (one) => {
        const seconds = one.down.stabilizationWindowSeconds;
        const seen = one.ledger
          .filter((event) => event.kind === 'recommendation' && event.at > NOW - seconds * 1000)
          .map((event) => (event.kind === 'recommendation' ? event.replicas : 0));
        const highest = Math.max(0, ...seen);
        expect(decisionFor(one).replicas).toBeGreaterThanOrEqual(Math.min(one.current, highest));
      }),
    );
  });

  test('is the same after the ledger was compacted', () => {
    fc.assert(
      fc.property(setting, (one) => {
        const compacted = decisionFor({
          ...one,
          ledger: compactLedger(one.ledger, NOW),
        });
        expect(compacted).toEqual(decisionFor(one));
      }),
    );
  });
});

test('a ledger does not grow while nothing changes', () => {
  let entries: LedgerEntry[] = [];
  for (let round = 0; round < 1_000; round++) {
    const now = NOW + round * 5_000;
    entries = compactLedger(
      [...entries, { kind: 'recommendation', role: 'worker', at: now, replicas: 4 }],
      now,
    );
  }
  expect(entries).toHaveLength(1);
});
