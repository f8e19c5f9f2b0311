import { describe, expect, test } from '@jest/globals';
import { patched } from './patched-build.ts';

const patch = { file: 'a.js', find: 'w: 2', replace: 'w: $&1' };

describe('a patch of a build', () => {
  test('replaces its text, as it stands', () => {
    expect(patched('{ w: 2 }', patch)).toBe('{ w: $&1 }');
  });

  test.each([
    ['is not there', '{ w: 3 }', 0],
    ['is there twice', '{ w: 2, w: 2 }', 2],
  ])('fails where its text %s', (_, text, times) => {
    expect(() => patched(text, patch)).toThrow(
      `A patch of a.js found its text ${times} times, not once:\nw: 2`,
    );
  });
});
