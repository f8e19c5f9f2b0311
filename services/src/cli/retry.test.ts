import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CliError, EXIT } from './exit-codes.ts';
import { BACKOFF, retryAfterMs, waitBeforeRetry, type Trouble } from './retry.ts';

const error = new CliError(EXIT.unavailable, 'away');
const passing: Trouble = { error, retryable: true, afterMs: null };

describe('waiting before another attempt', () => {
  test('there is none when it is no use', () => {
    expect(waitBeforeRetry({ ...passing, retryable: false }, 0, 60_000, Math.random)).toBeNull();
  });

  test('every wait ends within the budget and is no longer than the cap', () => {
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(fc.nat(2_000), fc.nat(10_000), random, (attempt, left, chance) => {
        const wait = waitBeforeRetry(passing, attempt, left, () => chance);
        if (wait === null) return;
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(BACKOFF.capMs);
        expect(wait).toBeLessThan(left);
      }),
    );
  });

  test('a budget of nothing allows one attempt', () => {
    expect(waitBeforeRetry(passing, 0, 0, () => 0)).toBeNull();
  });

  test.each([
    [3_000, 10_000, 3_050],
    [3_000, 3_000, null],
    [60_000, 10_000, null],
  ])('asked for %d ms with %d ms left: %p', (afterMs, left, wait) => {
    expect(waitBeforeRetry({ ...passing, afterMs }, 0, left, () => 0.5)).toBe(wait);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T03:00:00Z');
  test.each([
    [null, null],
    ['', null],
    ['soon', null],
    ['0', 0],
    [' 7 ', 7_000],
    ['Mon, 23 Nov 2026 03:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 02:00:00 GMT', 0],
  ])('%p is %p ms', (header, ms) => expect(retryAfterMs(header, now)).toBe(ms));
});
