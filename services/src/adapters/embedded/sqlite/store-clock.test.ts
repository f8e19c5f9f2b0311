import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../../endpoint/testing/doubles.ts';
import { StoreClock } from './store-clock.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function setup() {
  const clock = new ManualClock();
  const start = clock.now();
  const store = new StoreClock(clock);
  const expiry = (): number => {
    const { now, lag } = store.read();
    return now - lag - start;
  };
  return { clock, store, start, expiry, now: () => store.read().now - start };
}

describe('the clock of the store', () => {
  test('goes with the wall clock, and expiry with it', () => {
    const { clock, now, expiry, store } = setup();
    for (let day = 1; day <= 3; day++) {
      clock.advance(DAY_MS);
      expect([now(), expiry()]).toEqual([day * DAY_MS, day * DAY_MS]);
    }
    expect(store.trouble()).toBeNull();
  });

  test('stands still while the wall clock is put right by less than a minute', () => {
    const { clock, now, store } = setup();
    clock.step(-MINUTE_MS);
    expect(now()).toBe(0);
    clock.advance(MINUTE_MS);
    expect(now()).toBe(0);
    clock.advance(5);
    expect(now()).toBe(5);
    expect(store.trouble()).toBeNull();
  });

  test.each([-HOUR_MS, -400 * DAY_MS])('goes on when the wall clock is set back by %d ms', (stepMs) => {
    const { clock, now, expiry, store } = setup();
    clock.step(stepMs);
    expect(now()).toBe(0);
    clock.advance(HOUR_MS - 1);
    expect([now(), expiry()]).toEqual([HOUR_MS - 1, HOUR_MS - 1]);
    expect(store.trouble()).toMatch(/was set back by \d+ s/);
    clock.step(-stepMs);
    clock.advance(1);
    expect([now(), store.trouble()]).toEqual([HOUR_MS, null]);
  });

  test('believes a wall clock that has been behind for an hour', () => {
    const { clock, now, expiry, store } = setup();
    clock.step(-DAY_MS);
    now();
    clock.advance(HOUR_MS);
    expect([now(), expiry()]).toEqual([HOUR_MS - DAY_MS, HOUR_MS - DAY_MS]);
    expect(store.trouble()).toBeNull();
  });

  test.each([HOUR_MS, 400 * DAY_MS])(
    'follows a jump of %d ms at once, but expires no more than time goes by twice',
    (stepMs) => {
      const { clock, now, expiry, store } = setup();
      clock.step(stepMs);
      expect([now(), expiry()]).toEqual([stepMs, 0]);
      expect(store.trouble()).toMatch(/jumped ahead by \d+ s/);
      clock.advance(MINUTE_MS);
      expect([now(), expiry()]).toEqual([stepMs + MINUTE_MS, 2 * MINUTE_MS]);
      clock.advance(2 * HOUR_MS);
      expect(store.trouble()).toBeNull();
    },
  );

  test('dates leases by the monotonic clock', () => {
    const { clock, store } = setup();
    const before = store.read().monotonic;
    clock.step(DAY_MS);
    clock.advance(10.5);
    expect(store.read().monotonic - before).toBe(10);
  });

  test('is where it was after a restart in an earlier year, and expires nothing after one in a later', () => {
    const { store, start, now, expiry } = setup();
    store.resume({ now: start + DAY_MS, expiry: start + DAY_MS });
    expect([now(), expiry()]).toEqual([DAY_MS, DAY_MS]);
    store.resume({ now: start - 400 * DAY_MS, expiry: start - 400 * DAY_MS });
    expect([now(), expiry()]).toEqual([0, -400 * DAY_MS]);
    expect(store.trouble()).toBeNull();
  });

  test('need not expire what was never there', () => {
    const { clock, store, expiry } = setup();
    clock.step(400 * DAY_MS);
    expiry();
    store.skipTo(clock.now() - DAY_MS);
    expect(expiry()).toBe(399 * DAY_MS);
    store.skipTo(null);
    expect(expiry()).toBe(400 * DAY_MS);
  });
});
