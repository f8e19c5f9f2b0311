import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatSi,
  formatTable,
  formatTime,
  printable,
} from './format.ts';

describe('numbers', () => {
  test.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
    [Number.MAX_SAFE_INTEGER, '9,007,199,254,740,991'],
  ])('the count %d is written %s', (value, text) => expect(formatCount(value)).toBe(text));

  test.each([
    [0, '0'],
    [0.5, '0.5'],
    [12.4, '12'],
    [999, '999'],
    [999.6, '1.00 k'],
    [1_000, '1.00 k'],
    [9_994, '9.99 k'],
    [9_996, '10.0 k'],
    [12_345_678, '12.3 M'],
    [123_456_789, '123 M'],
    [999_499_999, '999 M'],
    [999_600_000, '1.00 G'],
    [1.5e12, '1.50 T'],
    [9e15, '9000 T'],
  ])('%d with three digits and a prefix is %s', (value, text) => expect(formatSi(value)).toBe(text));

  test('never more than three digits below 1000 T', () => {
    fc.assert(
      fc.property(fc.double({ min: 10, max: 9.99e14, noNaN: true }), (value) => {
        expect(formatSi(value).replace(/[^0-9]/g, '').length).toBeLessThanOrEqual(3);
      }),
    );
  });

  test.each([
    [null, '-'],
    [0, '0/s'],
    [2_500_000, '2.50 M/s'],
  ])('the rate %p is %s', (rate, text) => expect(formatRate(rate)).toBe(text));

  test.each([
    [12, '12 B'],
    [1_500_000, '1.50 MB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [0, '0.0 %'],
    [0.4529, '45.2 %'],
    [0.99999, '99.9 %'],
    [1, '100 %'],
    [1.2, '100 %'],
    [-1, '0.0 %'],
  ])('the share %d is %s', (share, text) => expect(formatPercent(share)).toBe(text));
});

describe('times', () => {
  test.each([
    [0, '0 s'],
    [0.00001, '0.0 ms'],
    [0.0021, '2.1 ms'],
    [0.045, '45 ms'],
    [0.85, '850 ms'],
    [0.9996, '1.0 s'],
    [12.34, '12.3 s'],
    [59.96, '1 min'],
    [75, '1 min 15 s'],
    [3_599.7, '1 h'],
    [11_520, '3 h 12 min'],
    [90_000, '1 d 1 h'],
    [864_000, '10 d'],
    [Infinity, 'unknown'],
    [NaN, 'unknown'],
  ])('%d s are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  test('a time is local, to the second', () => {
    expect(formatTime(new Date(2026, 10, 3, 4, 5, 6).toISOString())).toBe('2026-11-03 04:05:06');
  });

  test.each([
    [null, '-'],
    ['soon\u001b[2J', 'soon\ufffd[2J'],
  ])('%p is no time and is written %p', (value, text) => expect(formatTime(value)).toBe(text));
});

describe('text', () => {
  test('a table has columns two spaces apart and numbers to the right', () => {
    const rows = [
      ['ID', 'N', 'STATE'],
      ['a', '1,000', 'done'],
      ['bcd', '7', ''],
    ];
    expect(formatTable(rows, [1])).toBe('ID       N  STATE\na    1,000  done\nbcd      7');
  });

  test('control characters cannot reach the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
    expect(printable('Straße, 東京')).toBe('Straße, 東京');
  });
});
