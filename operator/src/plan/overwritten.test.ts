import { expect, test } from '@jest/globals';
import type { Action } from './action.ts';
import type { OverwrittenFields } from './observed.ts';
import { fieldWriteOf, holdMs, isHeld, overwrittenEvents, withoutHeld } from './overwritten.ts';
import { plan } from './plan.ts';
import { NOW, scene } from './testing/scene.ts';
import { World } from './testing/world.ts';

const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'hc-worker' };
const SCALE: Action = { kind: 'scale', ref, replicas: 3, why: 'test' };
const EVENT: Action = { kind: 'event', type: 'Normal', reason: 'Scaled', message: 'test' };

function overwritten(action: Action, more: Partial<OverwrittenFields> = {}): OverwrittenFields {
  const { ref: name, signature } = fieldWriteOf(action)!;
  return {
    ...{ ref: name, signature, writes: 3, lastAt: NOW, fields: 'spec.replicas', managers: ['hpa'] },
    ...{ isTold: true, ...more },
  };
}

test('writes of overwritten fields are held from 10 s up to 5 min', () => {
  expect([3, 4, 5, 8, 60].map(holdMs)).toEqual([10_000, 20_000, 40_000, 300_000, 300_000]);
});

test.each<[string, number, boolean]>([
  ['just written', 0, true],
  ['at the end of the hold', 10_000, false],
  ['by a clock that was set back for long', -3_600_000, false],
])('writes of overwritten fields: %s', (_title, age, held) => {
  const found = [overwritten(SCALE)];
  expect(isHeld({ overwritten: found, now: NOW + age }, SCALE)).toBe(held);
  expect(isHeld({ overwritten: found, now: NOW + age }, { ...SCALE, replicas: 4 })).toBe(false);
});

test('what tells of a held write is left out with it, and nothing else', () => {
  const observed = { ...scene(), overwritten: [overwritten(SCALE)] };
  const other: Action = { ...SCALE, ref: { ...ref, name: 'other' } };
  expect(withoutHeld(observed, [EVENT, SCALE, EVENT, other, EVENT])).toEqual({
    actions: [EVENT, other, EVENT],
    held: [SCALE],
  });
});

test('overwritten fields get one Event that names object, field and manager', () => {
  const observed = { ...scene(), overwritten: [overwritten(SCALE, { isTold: false })] };
  const message = expect.stringMatching(
    /Deployment hc-worker: spec.replicas .* field manager hpa/,
  ) as unknown;
  expect(overwrittenEvents(observed)).toMatchObject([{ reason: 'FieldsOverwritten', message }]);
  expect(overwrittenEvents({ ...scene(), overwritten: [overwritten(SCALE)] })).toEqual([]);
});

/** The plan of a cluster whose spec has changed, while somebody changes fields of one workload back. */
function planWith(name: string) {
  const world = new World();
  world.settle();
  world.change({ imagePullPolicy: 'Always' });
  const observed = world.observe();
  const write = plan(observed).actions.find(
    (action) => action.kind === 'apply' && action.object.metadata.name === name,
  )!;
  const found = overwritten(write, { lastAt: observed.now });
  return { write, made: plan({ ...observed, overwritten: [found] }) };
}

test('a held write is no part of the plan, and the conditions say why', () => {
  const { write, made } = planWith('hc-mongodb');
  expect(made.held).toEqual([write]);
  const status = made.actions.find((action) => action.kind === 'status')!.status;
  const conditions = Object.fromEntries(status.conditions!.map((one) => [one.type, one]));
  expect(conditions['Degraded']).toMatchObject({ status: 'True', reason: 'FieldsOverwritten' });
  expect(conditions['Ready']!.status).toBe('False');
});
