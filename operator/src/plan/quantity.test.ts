import { expect, test } from '@jest/globals';
import { parseQuantity } from './quantity.ts';

test.each([
  ['500m', 0.5],
  ['2', 2],
  [3, 3],
  ['0.5', 0.5],
  ['1Gi', 1_073_741_824],
  ['1.5Ki', 1_536],
  ['1G', 1e9],
  ['1e3', 1_000],
  ['1E', 1e18],
  ['12345678n', 0.012345678],
  ['250u', 0.00025],
])('reads %s as %d', (text, expected) => {
  expect(parseQuantity(text)).toBeCloseTo(expected, 12);
});

test.each(['', 'a', '1 Gi', '1gi', '--1', '1.2.3', undefined])('reads %p as nothing', (text) => {
  expect(parseQuantity(text)).toBeNull();
});
