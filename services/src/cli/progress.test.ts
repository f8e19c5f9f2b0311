import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Output } from './output.ts';
import { barLine, barOf, openProgress, standingLine, type Standing } from './progress.ts';
import { Transcript } from './testing/text-stream.ts';

const half: Standing = {
  label: 'running',
  position: 500_000,
  total: 1_000_000,
  rate: 2.5e6,
  secondsLeft: 0.2,
};

function setup(terminal: boolean, quiet = false) {
  const stderr = new Transcript(terminal);
  const output = new Output({ stdout: new Transcript(), stderr, format: 'text', quiet, colour: false });
  const clock = { now: 0 };
  return { stderr, output, clock, progress: openProgress(output, () => clock.now) };
}

describe('a line of progress', () => {
  test('says state, share, position, rate and time left', () => {
    expect(standingLine(half)).toBe('running  50.0 %  500,000 of 1,000,000  2.50 M/s  200 ms left');
  });

  test('leaves out what is not known', () => {
    expect(standingLine({ ...half, rate: null, secondsLeft: null })).toBe(
      'running  50.0 %  500,000 of 1,000,000',
    );
  });

  test('of nothing is complete', () => {
    expect(standingLine({ ...half, position: 0, total: 0 })).toContain('100 %');
  });

  test('fits the terminal, whatever its width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (columns, share) => {
          expect(barLine({ ...half, position: Math.floor(share * half.total) }, columns).length).toBeLessThan(
            columns,
          );
        },
      ),
    );
    expect(barLine(half, 120)).toContain('█'.repeat(14) + '░'.repeat(14));
  });

  test.each([
    [0, '░░░░'],
    [0.49, '█░░░'],
    [0.999, '███░'],
    [1, '████'],
    [7, '████'],
  ])('the bar of %d is %s', (share, bar) => expect(barOf(share, 4)).toBe(bar));
});

describe('in a pipe', () => {
  test('there is a line when the state changes, and every five seconds', () => {
    const { stderr, clock, progress } = setup(false);
    progress.show({ ...half, label: 'queued', position: 1 });
    for (clock.now = 100; clock.now <= 12_000; clock.now += 100) progress.show(half);
    progress.close();
    const labels = stderr.text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(labels).toEqual(['queued', 'running', 'running', 'running']);
    expect(stderr.text).not.toMatch(/\u001b|\r/);
  });
});

describe('on a terminal', () => {
  test('there is a bar that is gone at the end, and lines appear above it', () => {
    const { stderr, output, progress } = setup(true);
    progress.show(half);
    expect(stderr.text).toContain('50.0 %');
    output.note('a remark');
    expect(stderr.text).toContain('a remark\n');
    progress.show({ ...half, position: 750_000 });
    progress.close();
    progress.close();
    const erased = stderr.text.lastIndexOf('\u001b[2K');
    expect(erased).toBeGreaterThan(stderr.text.lastIndexOf('75.0 %'));
    expect(stderr.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stderr.text.lastIndexOf('\u001b[?25l'));
  });
});

test('quiet shows nothing', () => {
  for (const terminal of [true, false]) {
    const { stderr, progress } = setup(terminal, true);
    progress.show(half);
    progress.close();
    expect(stderr.text).toBe('');
  }
});
