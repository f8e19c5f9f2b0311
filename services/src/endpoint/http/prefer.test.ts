import { expect, test } from '@jest/globals';
import { parsePrefer } from './prefer.ts';

test.each<[string | undefined, number | null]>([
  [undefined, null],
  ['', null],
  ['wait=10', 10],
  ['Wait = 10', 10],
  ['wait="10"', 10],
  ['respond-async, wait=5', 5],
  ['respond-async;x="a,wait=3"; y, wait=5;z=1', 5],
  ['wait=1, wait=2', 1],
  ['wait=0', 0],
  ['wait', null],
  ['wait=', null],
  ['wait=-1', null],
  ['wait=1.5', null],
  ['wait=soon', null],
  ['wait=99999999999', null],
  ['wait="10', null],
  ['wait=10, "broken"', null],
  ['return=minimal', null],
  ['; '.repeat(400) + '!', null],
  [`wait=5, ${'x'.repeat(2_000)}`, null],
])('Prefer: %.40s asks to wait for %p s', (header, wait) => {
  expect(parsePrefer(header).wait).toBe(wait);
});
