import { describe, expect, test } from '@jest/globals';
import { jobText, listText, stateTone, workText } from './job-text.ts';
import { doneJob, jobBody } from './testing/fake-service.ts';

describe('a job as text', () => {
  test('leaves out what is not known yet', () => {
    const names = jobText(jobBody())
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(names).toEqual(['id', 'state', 'iterations', 'position', 'chain', 'created']);
  });

  test('tells everything of a job that is done', () => {
    const text = jobText(doneJob({ iterations: 1_000 }));
    expect(text).toContain(`digest      ${doneJob({ iterations: 1_000 }).digest}`);
    expect(text).toMatch(/^position {4}1,000 \(100 %\)$/m);
    expect(text).toMatch(/^computed {4}999$/m);
  });

  test('does not let a reason drive the terminal', () => {
    expect(jobText(jobBody({ state: 'failed', reason: 'bad\u001b[2J' }))).not.toContain('\u001b');
  });
});

describe('the list', () => {
  test('has a head and a row per job', () => {
    const lines = listText([jobBody(), doneJob({ iterations: 1_000 })]).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/).slice(1, 4))).toEqual([
      ['STATE', 'ITERATIONS', 'DONE'],
      ['queued', '3', '33.3 %'],
      ['done', '1,000', '100 %'],
    ]);
  });

  test('says so when it is empty', () => expect(listText([])).toBe('no jobs'));
});

test.each([
  ['queued', 'strong'],
  ['running', 'strong'],
  ['done', 'good'],
  ['cancelled', 'bad'],
  ['failed', 'bad'],
] as const)('the state %s looks %s', (state, tone) => expect(stateTone(state)).toBe(tone));

test.each([
  ['all of it', {}, '1,000,000 iterations in 1.0 s (1.00 M/s)'],
  ['a part of it', { computed: 500_000 }, '500,000 of 1,000,000 iterations in 1.0 s (500 k/s)'],
  ['in no time', { startedAt: null }, '1,000,000 iterations'],
])('work: %s', (_name, change, text) => {
  expect(workText(doneJob({ iterations: 1_000_000, digest: 'a'.repeat(128), ...change }))).toBe(text);
});
