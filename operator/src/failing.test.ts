import { expect, test } from '@jest/globals';
import type { Outcome } from './apply/applier.ts';
import { FailingActions } from './failing.ts';
import { actionRef, type Action } from './plan/action.ts';

const address = { setName: 'rs0', setId: null, hosts: [], keyfile: { name: 's', key: 'k' } };
const REMOVE: Action = { kind: 'reconfigureMongo', address, fromVersion: 1, members: [], why: 'test' };
const USERS: Action = { kind: 'ensureMongoUsers', address, users: [], why: 'test' };
const QUIET: Outcome = { done: [], refusals: [], remembered: [], failure: null };
const FAILED: Outcome = {
  ...QUIET,
  failure: { action: REMOVE.kind, ref: actionRef(REMOVE), error: new Error('no primary') },
};

type Rounds = readonly (readonly [planned: readonly Action[], outcome: Outcome])[];

function history(rounds: Rounds): string[] {
  const failing = new FailingActions();
  for (const [index, [planned, outcome]] of rounds.entries()) {
    failing.note('ns/hc', planned, outcome, index * 1_000);
  }
  return failing.told('ns/hc', rounds.length * 1_000).map(({ message, since }) => `${message} ${since}`);
}

const cases: [string, Rounds, string[]][] = [
  ['one failure is not told', [[[REMOVE], FAILED]], []],
  [
    'two are',
    [
      [[REMOVE], FAILED],
      [[REMOVE], FAILED],
    ],
    ['no primary 0'],
  ],
  [
    'a round that leaves the action out changes nothing',
    [
      [[REMOVE], FAILED],
      [[REMOVE], QUIET],
      [[REMOVE], FAILED],
    ],
    ['no primary 0'],
  ],
  [
    'another action that succeeds changes nothing',
    [
      [[REMOVE], FAILED],
      [[USERS, REMOVE], { ...FAILED, done: [USERS] }],
    ],
    ['no primary 0'],
  ],
  [
    'success ends it',
    [
      [[REMOVE], FAILED],
      [[REMOVE], FAILED],
      [[REMOVE], { ...QUIET, done: [REMOVE] }],
    ],
    [],
  ],
  [
    'so does a plan without the action',
    [
      [[REMOVE], FAILED],
      [[REMOVE], FAILED],
      [[], QUIET],
    ],
    [],
  ],
  [
    'what the server refuses is told at once',
    [[[REMOVE], { ...QUIET, refusals: [{ ref: actionRef(REMOVE), message: 'forbidden' }] }]],
    ['forbidden 0'],
  ],
];

test.each(cases)('failing actions: %s', (_case, rounds, told) => {
  expect(history(rounds)).toEqual(told);
});

test('failing actions: a single attempt that has not succeeded for long is told', () => {
  const failing = new FailingActions();
  failing.note('ns/hc', [REMOVE], FAILED, 0);
  expect(failing.told('ns/hc', 30_000)).toHaveLength(1);
  failing.forget('ns/hc');
  expect(failing.any('ns/hc')).toBe(false);
});

test('failing actions: how soon the status must be written because one has failed for long', () => {
  const failing = new FailingActions();
  expect(failing.dueMs('ns/hc', 0)).toBeNull();
  failing.note('ns/hc', [REMOVE], FAILED, 1_000);
  failing.note('ns/hc', [REMOVE], FAILED, 20_000);
  expect(failing.dueMs('ns/hc', 20_000)).toBe(11_000);
  expect(failing.dueMs('ns/hc', 31_000)).toBeNull();
});
