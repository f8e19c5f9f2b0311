import { expect, test } from '@jest/globals';
import { ServerClock } from './server-clock.ts';

const HOUR_MS = 3_600_000;
const STEPS = [HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS, -400 * 24 * HOUR_MS];

function setup() {
  const start = Date.UTC(2026, 0, 1);
  let [passed, stepped] = [0, 0];
  const clock = { now: () => start + passed + stepped, monotonic: () => 500 + passed };
  return {
    start,
    server: new ServerClock(clock),
    advance: (ms: number) => void (passed += ms),
    step: (ms: number) => void (stepped += ms),
  };
}
const header = (ms: number): string => new Date(ms).toUTCString();

test.each(STEPS)('time goes on when the clock of this machine steps by %d ms', (stepMs) => {
  const { server, start, advance, step } = setup();
  step(stepMs);
  advance(1_000);
  expect(server.now()).toBe(start + 1_000);
  server.learn(header(start + 1_000));
  step(-stepMs);
  advance(500);
  expect([server.now(), server.monotonic()]).toEqual([start + 1_500, 2_000]);
});

test.each(STEPS)('the clock of the server is followed, which is %d ms ahead', (ahead) => {
  const { server, start, advance } = setup();
  server.learn(header(start + ahead));
  advance(250);
  expect(server.now()).toBe(start + ahead + 250);
});

test('an answer that was read late, or has no date, does not set the clock back', () => {
  const { server, start, advance } = setup();
  server.learn(header(start));
  advance(5_000);
  for (const date of [header(start + 1_000), undefined, 'yesterday']) server.learn(date);
  expect(server.now()).toBe(start + 5_000);
});

test('a server that was ahead is found out in the end', () => {
  const { server, start } = setup();
  server.learn(header(start + HOUR_MS));
  for (let answer = 0; answer < 16; answer++) server.learn(header(start));
  expect(server.now()).toBe(start);
});
