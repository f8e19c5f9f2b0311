import { expect, test } from '@jest/globals';
import { HeldBytes, heldLimit } from './held-bytes.ts';

const MIB = 1024 * 1024;

test.each([
  ['a large heap', 512 * MIB, 4_096 * MIB, 512 * MIB],
  ['the heap of a container of 1 GiB', 512 * MIB, 500 * MIB, 200 * MIB],
  ['a small budget', 10 * MIB, 500 * MIB, 10 * MIB],
])('the budget is within the settings and within %s', (_what, maxHeldBytes, heapLimit, expected) => {
  expect(heldLimit(maxHeldBytes, heapLimit)).toBe(expected);
});

test('what is over the budget is refused and changes nothing', () => {
  const held = new HeldBytes(100);
  const [one, other] = [held.holder(), held.holder()];
  one.take(60);
  expect(() => other.take(41)).toThrow('Too much data');
  other.take(40);
  expect(held.held).toBe(100);
  one.giveAll();
  one.giveAll();
  expect(held.held).toBe(40);
});
