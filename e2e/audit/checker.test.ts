import { describe, expect, test } from '@jest/globals';
import { check, jobKey, type Demands, type Evidence, type Rule } from './checker.ts';
import type { Asked, Attempt, Final, Outcome, Shown, State, Stored } from './history.ts';

const NOTHING: Demands = { acknowledged: 0, acknowledgedBefore: 0, ratePerSecond: 0, lateWrites: 0 };

const job = (name: string): Asked => ({
  name,
  body: { data: name, iterations: 10 },
  chain: `chain of ${name}`,
  answer: `digest of ${name}`,
});

const acknowledged = (id: string, state: State = 'queued', digest: string | null = null): Outcome => ({
  kind: 'acknowledged',
  id,
  state,
  digest,
});

const attempt = (name: string, outcome: Outcome, more: Partial<Attempt> = {}): Attempt => ({
  job: name,
  endpoint: 'endpoint 1',
  form: 'single',
  from: 10,
  to: 20,
  outcome,
  ...more,
});

const done = (name: string, more: Partial<Final> = {}): Final => ({
  id: `id of ${name}`,
  chain: `chain of ${name}`,
  iterations: 10,
  state: 'done',
  digest: `digest of ${name}`,
  computed: 9,
  worker: 'worker 1',
  ...more,
});

const shown = (id: string, state: State, from: number, more: Partial<Shown> = {}): Shown => ({
  id,
  endpoint: 'endpoint 2',
  from,
  to: from + 5,
  state,
  position: 1,
  digest: null,
  ...more,
});

const stored = (position: number, digest: string, more: Partial<Stored> = {}): Stored => ({
  id: 'id of a',
  at: position,
  chain: 'chain of a',
  iterations: 10,
  owner: 'worker 1',
  position,
  digest,
  ...more,
});

/** A clean run: one job that was acknowledged and is done. */
const CLEAN: Evidence = {
  asked: new Map([['a', job('a')]]),
  attempts: [attempt('a', acknowledged('id of a'))],
  shown: [shown('id of a', 'running', 30), shown('id of a', 'done', 40, { digest: 'digest of a' })],
  stored: [stored(1, 'x'), stored(5, 'y')],
  final: [done('a')],
  askedBefore: new Set(),
  faultAt: 25,
  lateWrites: 0,
};

const rulesBroken = (evidence: Partial<Evidence>, demands: Partial<Demands> = {}): Rule[] => [
  ...new Set(check({ ...CLEAN, ...evidence }, { ...NOTHING, ...demands }).map(({ rule }) => rule)),
];

describe('the audit lets pass', () => {
  test('a clean run', () => {
    const demands = { acknowledged: 1, acknowledgedBefore: 1, ratePerSecond: 1 };
    expect(rulesBroken({}, demands)).toEqual([]);
  });

  test.each<[string, Partial<Evidence>]>([
    [
      'a job whose submission had no answer, and which is not there',
      { attempts: [...CLEAN.attempts, attempt('b', { kind: 'unknown', why: 'reset' })] },
    ],
    [
      'a job whose submission had no answer, and which is done',
      {
        asked: new Map([...CLEAN.asked, ['b', job('b')]]),
        attempts: [...CLEAN.attempts, attempt('b', { kind: 'unknown', why: 'reset' })],
        final: [done('a'), done('b')],
      },
    ],
    [
      'a job that was cancelled when somebody cancelled it',
      {
        attempts: [...CLEAN.attempts, attempt('a', acknowledged('id of a', 'cancelled'), { form: 'cancel' })],
        shown: [],
        final: [done('a', { state: 'cancelled', digest: null })],
      },
    ],
    [
      'a job that was done before it could be cancelled',
      {
        attempts: [
          ...CLEAN.attempts,
          attempt('a', { kind: 'refused', status: 409, problem: 'already-ended' }, { form: 'cancel' }),
        ],
      },
    ],
    [
      'a read that began before another saw the job done',
      { shown: [shown('id of a', 'running', 38, { to: 60 }), shown('id of a', 'done', 40)] },
    ],
    [
      'jobs of an earlier run on the same store',
      { final: [done('a'), done('old')], askedBefore: new Set([jobKey(done('old'))]) },
    ],
  ])('%s', (_, evidence) => {
    expect(rulesBroken(evidence)).toEqual([]);
  });
});

describe('the audit finds', () => {
  test.each<[Rule, string, Partial<Evidence>, Partial<Demands>?]>([
    ['lost', 'an acknowledged job that is gone', { final: [], shown: [] }],
    ['lost', 'an acknowledged job that failed', { final: [done('a', { state: 'failed' })], shown: [] }],
    [
      'lost',
      'an acknowledged job that nobody cancelled and that is cancelled',
      { final: [done('a', { state: 'cancelled', digest: null })], shown: [] },
    ],
    [
      'undrained',
      'a job that still lives after the drain, although nobody had an answer',
      {
        asked: new Map([...CLEAN.asked, ['b', job('b')]]),
        final: [done('a'), done('b', { state: 'queued', digest: null })],
      },
    ],
    ['wrong', 'a stored digest that is not the right one', { final: [done('a', { digest: 'other' })] }],
    [
      'wrong',
      'an answer with a digest that is not the right one',
      { attempts: [attempt('a', acknowledged('id of a', 'done', 'other'))] },
    ],
    [
      'wrong',
      'a job shown with another digest',
      { shown: [shown('id of a', 'done', 40, { digest: 'other' })] },
    ],
    ['forked', 'two digests at one position of a chain', { stored: [stored(5, 'x'), stored(5, 'y')] }],
    ['unasked', 'a job that nobody asked for', { final: [done('a'), done('b')] }],
    [
      'unasked',
      'a job with other iterations than those asked for',
      { final: [done('a'), done('a', { id: 'other', iterations: 11 })] },
    ],
    [
      'doubled',
      'two ids for one job in answers',
      { attempts: [...CLEAN.attempts, attempt('a', acknowledged('another id'))] },
    ],
    [
      'doubled',
      'one id for two jobs',
      {
        asked: new Map([...CLEAN.asked, ['b', job('b')]]),
        attempts: [...CLEAN.attempts, attempt('b', acknowledged('id of a'))],
      },
    ],
    ['doubled', 'two ids for one job in the store', { final: [done('a'), done('a', { id: 'second' })] }],
    [
      'reverted',
      'a job that was shown done and later running',
      { shown: [shown('id of a', 'done', 40), shown('id of a', 'running', 50)] },
    ],
    [
      'reverted',
      'a job that was answered as done and later shown queued',
      {
        attempts: [attempt('a', acknowledged('id of a', 'done', 'digest of a'))],
        shown: [shown('id of a', 'queued', 50)],
      },
    ],
    [
      'reverted',
      'a job that was shown done and is not at the end',
      { final: [done('a', { state: 'running', digest: null })] },
    ],
    ['fell', 'a stored position that fell', { stored: [stored(5, 'y'), stored(1, 'x')] }],
    ['unseen', 'that no late write was seen', {}, { lateWrites: 1 }],
    ['vacuous', 'that too few jobs were acknowledged', {}, { acknowledged: 2 }],
    [
      'vacuous',
      'that too few were acknowledged before the fault',
      { faultAt: 15 },
      { acknowledgedBefore: 1 },
    ],
    ['vacuous', 'that they came too slowly before the fault', { faultAt: 2_010 }, { ratePerSecond: 1 }],
  ])('%s: %s', (...[rule, , evidence, demands]) => {
    expect(rulesBroken(evidence, demands)).toContain(rule);
  });
});
