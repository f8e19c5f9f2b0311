import { describe, expect, test } from '@jest/globals';
import { Random } from '../../faults/random.ts';
import { walkOf } from './settings.ts';
import {
  after,
  describeStep,
  expected,
  SIZES,
  walk,
  type Action,
  type Expectation,
  type Model,
} from './walk.ts';

const START = { members: 3, claims: 3 };
const ONE_OF_THREE = { members: 1, claims: 3 };

const cases: [string, Model, Action, Model, Partial<Expectation>][] = [
  ['more members', START, { kind: 'scale', members: 5 }, { members: 5, claims: 5 }, { loss: 'none' }],
  ['fewer keep their claims', START, { kind: 'scale', members: 1 }, ONE_OF_THREE, { loss: 'none' }],
  [
    'a minority of volumes',
    START,
    { kind: 'loseVolumes', ordinals: [1] },
    START,
    { loss: 'none', reasons: ['VolumeLost', 'VolumeRestored'] },
  ],
  [
    'a majority of volumes',
    START,
    { kind: 'loseVolumes', ordinals: [0, 2] },
    START,
    { loss: 'latest', reasons: ['MajorityLost'] },
  ],
  [
    'all volumes',
    START,
    { kind: 'loseVolumes', ordinals: [0, 1, 2] },
    START,
    { loss: 'all', reasons: ['ReplicaSetLost'], abandoned: [] },
  ],
  [
    'the last volume, while claims of removed members are left',
    ONE_OF_THREE,
    { kind: 'loseVolumes', ordinals: [0] },
    { members: 1, claims: 1 },
    { loss: 'all', reasons: ['ReplicaSetLost'], abandoned: [1, 2] },
  ],
  [
    'created again with fewer members',
    START,
    { kind: 'recreate', members: 1, ordinals: [0] },
    ONE_OF_THREE,
    { loss: 'none', reasons: ['StartsFromVolumes'] },
  ],
  [
    'created again with as many',
    START,
    { kind: 'recreate', members: 3, ordinals: [] },
    START,
    { loss: 'none', reasons: [] },
  ],
  ['no operator', START, { kind: 'killOperator' }, START, { loss: 'none', reasons: [] }],
];

test.each(cases)('walk: what follows from %s', (_case, model, action, next, expectation) => {
  const step = { action, killsOperator: false };
  expect(after(model, step)).toEqual(next);
  expect(expected(model, step)).toMatchObject(expectation);
});

test('walk: the same seed draws the same steps, another one others', () => {
  const of = (seed: string): string[] => walk(new Random(seed), START, 40).steps.map(describeStep);
  expect(of('7')).toEqual(of('7'));
  expect(of('7')).not.toEqual(of('8'));
});

test('walk: every step is possible where it begins', () => {
  for (let seed = 0; seed < 100; seed++) {
    const { steps, models } = walk(new Random(String(seed)), START, 40);
    for (const [index, { action }] of steps.entries()) {
      const { members, claims } = models[index]!;
      expect(claims).toBeGreaterThanOrEqual(members);
      if (action.kind === 'scale') expect(action.members).not.toBe(members);
      if (action.kind === 'scale' || action.kind === 'recreate') expect(SIZES).toContain(action.members);
      const ordinals = 'ordinals' in action ? action.ordinals : [];
      expect(new Set(ordinals).size).toBe(ordinals.length);
      for (const ordinal of ordinals) expect(ordinal).toBeLessThan(members);
      // What a deleted HashCluster remembers is gone with it: there a majority keeps its volumes.
      if (action.kind === 'recreate') expect(ordinals.length * 2).toBeLessThan(members);
    }
  }
});

describe('walk: the five steps that are drawn unless said otherwise', () => {
  const { seed, steps: count } = walkOf({});
  const { steps, models } = walk(new Random(seed), START, count);
  const expectations = steps.map((step, index) => expected(models[index]!, step));

  test('lose volumes, recreate over volumes that are left, add members and kill the operator', () => {
    expect(new Set(steps.map(({ action }) => action.kind))).toEqual(
      new Set(['loseVolumes', 'recreate', 'scale']),
    );
    expect(steps.some(({ killsOperator }) => killsOperator)).toBe(true);
    expect(models.map(({ members }) => members)).toEqual([3, 3, 1, 1, 3, 3]);
  });

  test('make the operator say every reason that a walk can', () => {
    const reasons = expectations.flatMap((each) => each.reasons);
    expect(new Set(reasons)).toEqual(
      new Set(['VolumeLost', 'VolumeRestored', 'StartsFromVolumes', 'ReplicaSetLost', 'MajorityLost']),
    );
    expect(expectations.some(({ abandoned }) => abandoned.length > 0)).toBe(true);
  });
});

test.each([
  [{}, { steps: 5 }],
  [
    { STEPS: '40', SEED: '7' },
    { steps: 40, seed: '7' },
  ],
])('walk: %j says how long it is', (env, wanted) => {
  expect(walkOf(env)).toMatchObject(wanted);
});

test.each([{ STEPS: '0' }, { STEPS: 'many' }, { STEPS: '1.5' }, { SEED: '' }, { SEED: 'a b' }])(
  'walk: %j is refused',
  (env) => {
    expect(() => walkOf(env)).toThrow(RangeError);
  },
);
