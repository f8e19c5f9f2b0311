import { expect, test } from '@jest/globals';
import { failingSpans, readyWhileFailing, type ReadySample } from './operator-log.ts';

const CLUSTER = 'ns/demo';
const AFTER_MS = 30_000;
const T0 = Date.parse('2030-01-01T00:00:00.000Z');

type Entry = readonly [second: number, what: 'fails' | 'succeeds', ref: string];

function lineOf([second, what, ref]: Entry, cluster = CLUSTER): string {
  const timestamp = new Date(T0 + second * 1_000).toISOString();
  const says =
    what === 'fails'
      ? { level: 'warn', message: 'A HashCluster was not reconciled', waitMs: 4_000 }
      : { level: 'info', message: 'Carried out', object: ref };
  const error = what === 'fails' ? { error: { name: 'Error', message: `${ref}: refused: 500` } } : {};
  return JSON.stringify({ timestamp, cluster, ...says, ...error });
}

const logOf = (entries: readonly Entry[]): string =>
  ['(node:1) a warning', ...entries.map((entry) => lineOf(entry)), ''].join('\n');
const spansOf = (entries: readonly Entry[]): string[] =>
  failingSpans(logOf(entries), CLUSTER).map(
    ({ ref, from, to }) => `${ref} ${(from - T0) / 1_000}-${(to - T0) / 1_000}`,
  );

const cases: [string, Entry[], string[]][] = [
  ['nothing', [], []],
  ['one failure', [[3, 'fails', 'Pod a']], ['Pod a 3-3']],
  [
    'one that goes on',
    [
      [0, 'fails', 'Pod a'],
      [20, 'fails', 'Pod a'],
      [40, 'fails', 'Pod a'],
    ],
    ['Pod a 0-40'],
  ],
  [
    'one that ends with success',
    [
      [0, 'fails', 'Pod a'],
      [20, 'fails', 'Pod a'],
      [25, 'succeeds', 'Pod a'],
      [40, 'fails', 'Pod a'],
    ],
    ['Pod a 0-20', 'Pod a 40-40'],
  ],
  [
    'one that other successes do not end',
    [
      [0, 'fails', 'Pod a'],
      [5, 'succeeds', 'Pod b'],
      [20, 'fails', 'Pod a'],
    ],
    ['Pod a 0-20'],
  ],
  [
    'two at once',
    [
      [0, 'fails', 'Pod a'],
      [5, 'fails', 'Pod b'],
      [20, 'fails', 'Pod a'],
    ],
    ['Pod a 0-20', 'Pod b 5-5'],
  ],
  [
    'one that was not tried again for long',
    [
      [0, 'fails', 'Pod a'],
      [90, 'fails', 'Pod a'],
    ],
    ['Pod a 0-0', 'Pod a 90-90'],
  ],
];

test.each(cases)('failing actions in the log: %s', (_case, entries, spans) => {
  expect(spansOf(entries)).toEqual(spans);
});

test('failing actions in the log: those of other HashClusters are left out', () => {
  expect(failingSpans(lineOf([0, 'fails', 'Pod a'], 'ns/other'), CLUSTER)).toEqual([]);
});

const FAILING: Entry[] = [0, 15, 30, 45, 60].map((second) => [second, 'fails', 'Pod a'] as const);

function samplesOf(changes: readonly (readonly [second: number, isReady: boolean])[]): ReadySample[] {
  return changes.map(([second, isReady]) => ({ at: T0 + second * 1_000, isReady }));
}

const statuses: [string, Parameters<typeof samplesOf>[0], number][] = [
  ['ready all the time', [[-10, true]], 1],
  [
    'not ready from the thirtieth second on',
    [
      [-10, true],
      [29, false],
    ],
    0,
  ],
  [
    'not ready, and ready again too early',
    [
      [-10, true],
      [29, false],
      [50, true],
    ],
    1,
  ],
  [
    'ready after the last attempt that failed',
    [
      [-10, true],
      [29, false],
      [61, true],
    ],
    0,
  ],
  ['unknown', [], 0],
];

test.each(statuses)('a status while an action fails for a minute: %s', (_case, changes, problems) => {
  const spans = failingSpans(logOf(FAILING), CLUSTER);
  expect(readyWhileFailing(samplesOf(changes), spans, AFTER_MS)).toHaveLength(problems);
});

test('a status while an action fails for less than it takes to say so', () => {
  const spans = failingSpans(logOf(FAILING.slice(0, 2)), CLUSTER);
  expect(readyWhileFailing(samplesOf([[-10, true]]), spans, AFTER_MS)).toEqual([]);
});
