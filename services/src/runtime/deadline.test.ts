import { describe, expect, test } from '@jest/globals';
import { settlesWithin, unlessAborted } from './deadline.ts';

const never = new Promise<never>(() => undefined);

describe('work with a deadline', () => {
  test('is in time, or is not', async () => {
    expect(await settlesWithin(Promise.resolve(), 60_000)).toBe(true);
    expect(await settlesWithin(never, 1)).toBe(false);
  });

  test('fails as it does', async () => {
    await expect(settlesWithin(Promise.reject(new Error('no')), 60_000)).rejects.toThrow('no');
  });
});

describe('work that can be given up', () => {
  test('answers as it does', async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });

  test.each([true, false])('is given up when the signal aborts; before it began: %p', async (before) => {
    const abort = new AbortController();
    if (before) abort.abort(new Error('enough'));
    const work = unlessAborted(never, abort.signal);
    if (!before) abort.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
  });
});
