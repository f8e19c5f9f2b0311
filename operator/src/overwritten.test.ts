import { expect, test } from '@jest/globals';
import { OverwrittenBook } from './overwritten.ts';
import type { Action } from './plan/action.ts';
import type { KubeObject } from './plan/kube.ts';
import { holdMs, overwrittenSays } from './plan/overwritten.ts';

const KEY = 'ns/hc';
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'hc-worker' };
const DEPLOYMENT: KubeObject = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'hc-worker', namespace: 'ns' } },
  spec: { paused: false },
};
const APPLY: Action = {
  ...{ kind: 'apply', object: DEPLOYMENT, uid: 'u', fields: 'spec.paused', why: 'test' },
};
const OTHER_FIELDS: Action = { ...APPLY, fields: 'spec.other' };
const CREATE: Action = { kind: 'apply', object: DEPLOYMENT, why: 'test' };
const SCALE: Action = { kind: 'scale', ref, replicas: 3, why: 'test' };
const ANNOTATE: Action = { kind: 'annotate', ref, annotations: { a: '1', b: null }, why: 'test' };
const REMOVE: Action = { kind: 'annotate', ref, annotations: { b: null }, why: 'test' };
const CHANGED: KubeObject = {
  ...DEPLOYMENT,
  metadata: { name: 'hc-worker', namespace: 'ns', annotations: { b: '2' } },
  spec: { paused: true, replicas: 5 },
};

/** A book that has seen rounds, two seconds apart, and examines what the next round asks for. */
async function after(
  rounds: readonly (Action | null)[],
  {
    next,
    live = CHANGED,
    generations = [] as readonly number[],
  }: {
    readonly next: Action;
    readonly live?: KubeObject | null;
    readonly generations?: readonly number[];
  },
) {
  let reads = 0;
  const book = new OverwrittenBook(() => {
    reads++;
    return Promise.resolve(live);
  });
  for (const [index, action] of rounds.entries()) {
    const actions = action === null ? [] : [action];
    const generation = generations[index] ?? 1;
    book.note(KEY, { generation, wanted: actions, done: actions }, index * 2_000);
  }
  const now = rounds.length * 2_000;
  await book.examine(KEY, [next], now);
  return { book, now, reads: () => reads, found: book.of(KEY) };
}

test.each<[string, Action, string]>([
  ['apply', APPLY, 'spec.paused'],
  ['scale', SCALE, 'spec.replicas'],
  ['annotate', ANNOTATE, 'metadata.annotations.a, metadata.annotations.b'],
])('overwritten fields: the fourth equal %s finds them', async (_kind, action, fields) => {
  const { found } = await after([action, action, action], { next: action });
  expect(found).toMatchObject([{ ref: 'Deployment hc-worker', fields, writes: 3, managers: [] }]);
});

test.each<[string, readonly (Action | null)[], Parameters<typeof after>[1]]>([
  ['two equal writes', [APPLY, APPLY], { next: APPLY }],
  ['writes of other fields', [APPLY, APPLY, OTHER_FIELDS], { next: APPLY }],
  ['creations', [CREATE, CREATE, CREATE], { next: CREATE }],
  ['a new spec', [APPLY, APPLY, APPLY], { next: APPLY, generations: [1, 1, 2] }],
  ['an annotation that is gone', [REMOVE, REMOVE, REMOVE], { next: REMOVE, live: DEPLOYMENT }],
  ['a cache that is behind', [APPLY, APPLY, APPLY], { next: APPLY, live: DEPLOYMENT }],
  ['an object that is gone', [APPLY, APPLY, APPLY], { next: APPLY, live: null }],
  ['an object that has settled', [APPLY, APPLY, APPLY, ...Array<null>(17).fill(null)], { next: APPLY }],
])('overwritten fields: %s: none', async (_title, rounds, given) => {
  expect((await after(rounds, given)).found).toEqual([]);
});

test('overwritten fields: an object that looks settled for a moment is not forgotten', async () => {
  expect((await after([APPLY, null, APPLY, null, APPLY, null], { next: APPLY })).found).toHaveLength(1);
});

test('overwritten fields: while a write is held the live object is not read', async () => {
  const { book, now, reads } = await after([APPLY, APPLY, APPLY], { next: APPLY });
  book.note(KEY, { generation: 1, wanted: [APPLY], done: [] }, now);
  await book.examine(KEY, [APPLY], now + 1_000);
  expect(reads()).toBe(1);
  await book.examine(KEY, [APPLY], now + holdMs(3));
  expect(reads()).toBe(2);
});

test('overwritten fields: an Event that was recorded is noted', async () => {
  const { book, now, found } = await after([APPLY, APPLY, APPLY], { next: APPLY });
  const event: Action = {
    ...{ kind: 'event', type: 'Warning', reason: 'FieldsOverwritten', message: overwrittenSays(found[0]!) },
  };
  expect(found[0]!.isTold).toBe(false);
  book.note(KEY, { generation: 1, wanted: [APPLY], done: [event] }, now);
  expect(book.of(KEY)[0]!.isTold).toBe(true);
  book.forget(KEY);
  expect([book.any(KEY), book.of(KEY)]).toEqual([false, []]);
});
