import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../../endpoint/testing/doubles.ts';
import { DatabaseTime } from './time.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function fixture(): { time: DatabaseTime; clock: ManualClock; start: number } {
  const clock = new ManualClock();
  return { time: new DatabaseTime(clock), clock, start: clock.now() };
}

describe('the time of the database', () => {
  test('is taken to be ours until the database has said anything', () => {
    const { time, clock, start } = fixture();
    clock.advance(0.75);
    expect(time.now()).toBe(start);
    expect(time.trouble()).toBeNull();
  });

  test.each([HOUR_MS, -HOUR_MS])('is followed where it is %d ms ahead of ours', (ahead) => {
    const { time, clock, start } = fixture();
    time.learn('one:27017', new Date(start + ahead));
    clock.advance(500);
    expect(time.now()).toBe(start + 500 + ahead);
  });

  test.each([HOUR_MS, -HOUR_MS, 400 * DAY_MS, -400 * DAY_MS])(
    'goes on by itself when the clock of this process steps by %d ms',
    (stepMs) => {
      const { time, clock, start } = fixture();
      time.learn('one:27017', new Date(start));
      clock.advance(1_000);
      clock.step(stepMs);
      expect(time.now()).toBe(start + 1_000);
      clock.advance(1_000);
      time.learn('one:27017', new Date(start + 2_000));
      expect(time.now()).toBe(start + 2_000);
    },
  );

  test('is not set back by a heartbeat that was read late', () => {
    const { time, clock, start } = fixture();
    time.learn('one:27017', new Date(start + 100));
    clock.advance(2_000);
    time.learn('one:27017', new Date(start + 600));
    expect(time.now()).toBe(start + 2_100);
  });

  test('is put right after some heartbeats when it was too fast', () => {
    const { time, start } = fixture();
    time.learn('one:27017', new Date(start + 100));
    for (let beat = 0; beat < 8; beat++) time.learn('one:27017', new Date(start + 40));
    expect(time.now()).toBe(start + 40);
  });

  test('is another one on another primary', () => {
    const { time, start } = fixture();
    time.learn('one:27017', new Date(start + 9_000));
    time.learn('two:27017', new Date(start - 9_000));
    expect(time.now()).toBe(start - 9_000);
  });
});

describe('clocks that disagree', () => {
  test.each([
    ['a minute ahead', 60_000, false],
    ['a minute behind', -60_000, false],
    ['more than a minute ahead', 60_001, true],
    ['more than a minute behind', -60_001, true],
    ['400 days ahead', 400 * DAY_MS, true],
  ])('are a trouble: this process is %s', (_what, stepMs, isTrouble) => {
    const { time, clock } = fixture();
    time.learn('one:27017', new Date(clock.now()));
    clock.step(stepMs);
    expect(time.trouble() !== null).toBe(isTrouble);
    clock.step(-stepMs);
    expect(time.trouble()).toBeNull();
  });

  test('say by how much, and which is which', () => {
    const { time, clock } = fixture();
    time.learn('one:27017', new Date(clock.now()));
    clock.step(HOUR_MS);
    expect(time.trouble()).toBe(
      'The clocks of MongoDB (2023-11-14T22:13:20.000Z) and of this process (2023-11-14T23:13:20.000Z) disagree by 3600 s: expired results are not deleted',
    );
  });

  test.each([
    ['agree', 30_000, 30_000],
    ['disagree, and the database is ahead', HOUR_MS, 0],
    ['disagree, and the database is behind', -HOUR_MS, -HOUR_MS],
  ])('let a result expire only when both say so: they %s', (_what, ahead, expected) => {
    const { time, start } = fixture();
    time.learn('one:27017', new Date(start + ahead));
    expect(time.expiryNow()).toBe(start + expected);
  });
});
