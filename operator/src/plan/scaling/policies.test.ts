import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ScalingBehavior } from '../../api/role-spec.ts';
import { lowerLimit, upperLimit } from './policies.ts';

type Policies = ScalingBehavior['policies'];

function rules(policies: Policies, selectPolicy: ScalingBehavior['selectPolicy'] = 'Max'): ScalingBehavior {
  return { stabilizationWindowSeconds: 0, policies, selectPolicy };
}

const FOUR_PODS = { type: 'Pods', value: 4, periodSeconds: 60 } as const;
const TEN_PERCENT = { type: 'Percent', value: 10, periodSeconds: 60 } as const;
const untouched = () => 0;

describe('lowerLimit, with the examples of the documentation', () => {
  test.each([
    { current: 80, policies: [FOUR_PODS, TEN_PERCENT], expected: 72, says: '10 % of 80' },
    { current: 72, policies: [FOUR_PODS, TEN_PERCENT], expected: 64, says: '10 % of 72, rounded up' },
    { current: 41, policies: [FOUR_PODS, TEN_PERCENT], expected: 36, says: '10 % of 41, rounded up' },
    { current: 40, policies: [FOUR_PODS, TEN_PERCENT], expected: 36, says: 'both are 4' },
    { current: 20, policies: [FOUR_PODS, TEN_PERCENT], expected: 16, says: '4 pods' },
    { current: 3, policies: [FOUR_PODS], expected: 0, says: 'no fewer than none' },
  ])('lets $current go to $expected: $says', ({ current, policies, expected }) => {
    expect(lowerLimit(rules(policies), { current, changed: untouched })).toBe(expected);
  });

  test('takes the smaller change with Min', () => {
    expect(lowerLimit(rules([FOUR_PODS, TEN_PERCENT], 'Min'), { current: 80, changed: untouched })).toBe(76);
  });

  test('changes nothing with Disabled', () => {
    expect(lowerLimit(rules([FOUR_PODS], 'Disabled'), { current: 80, changed: untouched })).toBe(80);
  });

  test('counts what has gone within the period already', () => {
    expect(lowerLimit(rules([FOUR_PODS]), { current: 77, changed: () => -3 })).toBe(76);
    expect(lowerLimit(rules([FOUR_PODS]), { current: 76, changed: () => -4 })).toBe(76);
    expect(lowerLimit(rules([TEN_PERCENT]), { current: 72, changed: () => -8 })).toBe(72);
  });
});

describe('upperLimit, with the examples of KEP-853', () => {
  const NINEFOLD = { type: 'Percent', value: 900, periodSeconds: 60 } as const;
  test.each([
    { current: 1, policies: [NINEFOLD], expected: 10 },
    { current: 10, policies: [NINEFOLD], expected: 100 },
    { current: 100, policies: [NINEFOLD], expected: 1_000 },
    { current: 1, policies: [{ type: 'Pods', value: 1, periodSeconds: 600 }] as const, expected: 2 },
    { current: 10, policies: [TEN_PERCENT], expected: 11 },
    { current: 1, policies: [TEN_PERCENT], expected: 2 },
    { current: 2, policies: [FOUR_PODS, { ...TEN_PERCENT, value: 100 }], expected: 6 },
    { current: 10, policies: [FOUR_PODS, { ...TEN_PERCENT, value: 100 }], expected: 20 },
  ])('lets $current come to $expected', ({ current, policies, expected }) => {
    expect(upperLimit(rules([...policies]), { current, changed: untouched })).toBe(expected);
  });

  test('takes the smaller change with Min, and none with Disabled', () => {
    const both = [FOUR_PODS, TEN_PERCENT];
    expect(upperLimit(rules(both, 'Min'), { current: 10, changed: untouched })).toBe(11);
    expect(upperLimit(rules(both, 'Disabled'), { current: 10, changed: untouched })).toBe(10);
  });

  test('counts what has come within the period already, and what has gone', () => {
    expect(upperLimit(rules([FOUR_PODS]), { current: 13, changed: () => 3 })).toBe(14);
    expect(upperLimit(rules([FOUR_PODS]), { current: 10, changed: () => -2 })).toBe(16);
  });
});

describe('both limits', () => {
  const policy = fc.record({
    type: fc.constantFrom('Pods' as const, 'Percent' as const),
    value: fc.integer({ min: 1, max: 1_000 }),
    periodSeconds: fc.integer({ min: 1, max: 1_800 }),
  });
  const behavior = fc.record({
    stabilizationWindowSeconds: fc.constant(0),
    policies: fc.array(policy, { minLength: 1, maxLength: 4 }),
    selectPolicy: fc.constantFrom('Max' as const, 'Min' as const, 'Disabled' as const),
  });

  test('never contradict what there is, whatever has changed before', () => {
    fc.assert(
      fc.property(behavior, fc.nat(1_000), fc.integer({ min: -50, max: 50 }), (rule, current, change) => {
        const pace = { current, changed: () => Math.min(change, current) };
        expect(upperLimit(rule, pace)).toBeGreaterThanOrEqual(current);
        expect(lowerLimit(rule, pace)).toBeLessThanOrEqual(current);
        expect(lowerLimit(rule, pace)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('are as wide with Max as they ever are', () => {
    fc.assert(
      fc.property(behavior, fc.nat(1_000), (rule, current) => {
        const pace = { current, changed: untouched };
        const widest = { ...rule, selectPolicy: 'Max' as const };
        expect(upperLimit(widest, pace)).toBeGreaterThanOrEqual(upperLimit(rule, pace));
        expect(lowerLimit(widest, pace)).toBeLessThanOrEqual(lowerLimit(rule, pace));
      }),
    );
  });
});
