import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs, retry, type RetryOptions } from './retry.ts';

/** Time that moves only when somebody waits. */
function setup(failures: number, random = 1) {
  const state = { now: 0, attempts: [] as number[], waits: [] as number[] };
  const options: RetryOptions = {
    budgetMs: 10_000,
    baseMs: 100,
    capMs: 1_000,
    clock: { now: () => state.now, monotonic: () => state.now },
    random: () => random,
    pause: (ms) => {
      state.now += ms;
      state.waits.push(ms);
      return Promise.resolve();
    },
  };
  const operation = (attempt: number): string => {
    state.attempts.push(attempt);
    if (state.attempts.length <= failures) throw new Error(`failure ${attempt}`);
    return 'done';
  };
  return { state, options, operation };
}

describe('retry', () => {
  test('returns what the first success gives', async () => {
    const { state, options, operation } = setup(3);
    await expect(retry(operation, options)).resolves.toBe('done');
    expect(state.attempts).toEqual([0, 1, 2, 3]);
    expect(state.waits).toEqual([100, 200, 400]);
  });

  test('waits no longer than the cap', async () => {
    const { state, options, operation } = setup(6);
    await retry(operation, options);
    expect(state.waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('throws the last error when the budget is used up, and never waits beyond it', async () => {
    const { state, options, operation } = setup(Infinity);
    await expect(retry(operation, { ...options, budgetMs: 1_000 })).rejects.toThrow('failure 3');
    expect(state.now).toBe(700);
  });

  test('tries once without a budget', async () => {
    const { state, options, operation } = setup(Infinity);
    await expect(retry(operation, { ...options, budgetMs: 0 })).rejects.toThrow('failure 0');
    expect(state.attempts).toEqual([0]);
  });

  test('throws at once what is not worth another attempt', async () => {
    const { state, options, operation } = setup(Infinity);
    const retryable = (error: unknown): boolean => !String(error).includes('failure 1');
    await expect(retry(operation, { ...options, retryable })).rejects.toThrow('failure 1');
    expect(state.attempts).toEqual([0, 1]);
  });

  test('tells of every failure that it goes on from', async () => {
    const { options, operation } = setup(2);
    const told: string[] = [];
    const onRetry = (error: unknown, attempt: number, waitMs: number): void => {
      told.push(`${String(error)} #${attempt} ${waitMs}`);
    };
    await retry(operation, { ...options, onRetry });
    expect(told).toEqual(['Error: failure 0 #0 100', 'Error: failure 1 #1 200']);
  });

  test('throws the reason of the signal, before an attempt and while it waits', async () => {
    const { options, operation, state } = setup(Infinity);
    const gone = AbortSignal.abort(new Error('stopping'));
    await expect(retry(operation, { ...options, signal: gone })).rejects.toThrow('stopping');
    expect(state.attempts).toEqual([]);

    const controller = new AbortController();
    const { pause: _fake, ...realTime } = options;
    const waiting = retry(operation, {
      ...realTime,
      budgetMs: Number.MAX_SAFE_INTEGER,
      baseMs: 1e8,
      capMs: 1e8,
      signal: controller.signal,
      onRetry: () => {
        setImmediate(() => {
          controller.abort(new Error('stopping while waiting'));
        });
      },
    });
    await expect(waiting).rejects.toThrow('stopping while waiting');
  });
});

test('a wait is between 0 and the bound, which doubles up to the cap', () => {
  fc.assert(
    fc.property(
      fc.nat(2_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, luck) => {
        const wait = backoffMs(attempt, { baseMs: 50, capMs: 2_000 }, () => luck);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(Math.min(2_000, 50 * 2 ** attempt));
        expect(wait).toBeCloseTo(luck * Math.min(2_000, 50 * 2 ** attempt), 6);
      },
    ),
  );
});
