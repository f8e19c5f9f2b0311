import { describe, expect, test } from '@jest/globals';
import { WriteHealth } from './write-health.ts';

const FINE = [{ call: 1, cells: [] }];
const FULL = [
  { call: 1, cells: [] },
  { call: 2, failure: 'the disk is full' },
];

describe('whether the file can be written', () => {
  test.each([
    { what: 'a read', wrote: false, space: true, trouble: 'the disk is full' },
    { what: 'a write that found room in the log', wrote: true, space: false, trouble: 'the disk is full' },
    { what: 'a write where there is space', wrote: true, space: true, trouble: null },
  ])('$what after a failure leaves: $trouble', ({ wrote, space, trouble }) => {
    const health = new WriteHealth(() => space, null);
    expect(health.after(FINE, true)).toBeNull();
    expect(health.after(FULL, true)).toBe('the disk is full');
    expect(health.after(FINE, wrote)).toBe(trouble);
  });

  test('is known from the start where the start could not write', () => {
    const health = new WriteHealth(() => true, 'the disk is full');
    expect(health.after(FINE, false)).toBe('the disk is full');
    expect(health.after(FINE, true)).toBeNull();
  });
});
