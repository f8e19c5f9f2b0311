import { expect, test } from '@jest/globals';
import { DatabaseTime } from './time.ts';

function fixture(): { time: DatabaseTime; clock: { ms: number } } {
  const clock = { ms: 1_000_000 };
  return { time: new DatabaseTime({ now: () => clock.ms }), clock };
}

test('until the database has said anything its clock is taken to be ours', () => {
  const { time, clock } = fixture();
  clock.ms += 0.75;
  expect(time.now()).toBe(1_000_000);
});

test.each([{ ahead: 3_600_000 }, { ahead: -3_600_000 }])(
  'the clock of a database that is $ahead ms ahead is followed',
  ({ ahead }) => {
    const { time, clock } = fixture();
    time.learn('one:27017', new Date(clock.ms + ahead));
    clock.ms += 500;
    expect(time.now()).toBe(1_000_500 + ahead);
  },
);

test('a heartbeat that was read late does not set the clock back', () => {
  const { time, clock } = fixture();
  time.learn('one:27017', new Date(clock.ms + 100));
  clock.ms += 2_000;
  time.learn('one:27017', new Date(clock.ms + 100 - 1_500));
  expect(time.now()).toBe(clock.ms + 100);
});

test('a clock that goes too fast is found out in the end', () => {
  const { time, clock } = fixture();
  time.learn('one:27017', new Date(clock.ms + 100));
  for (let beat = 0; beat < 8; beat++) time.learn('one:27017', new Date(clock.ms + 40));
  expect(time.now()).toBe(clock.ms + 40);
});

test('another primary has another clock', () => {
  const { time, clock } = fixture();
  time.learn('one:27017', new Date(clock.ms + 9_000));
  time.learn('two:27017', new Date(clock.ms - 9_000));
  expect(time.now()).toBe(clock.ms - 9_000);
});
