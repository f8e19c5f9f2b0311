import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Ticker } from './ticker.ts';

describe('a ticker', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('runs about every interval until it is stopped', async () => {
    let runs = 0;
    const ticker = new Ticker({ everyMs: 100, run: () => void runs++, onError: () => {} });
    ticker.start();
    ticker.start();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(runs).toBeGreaterThanOrEqual(9);
    expect(runs).toBeLessThanOrEqual(10);
    await ticker.stop();
    await ticker.stop();
    const before = runs;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(runs).toBe(before);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('never runs twice at once, and waits for a run when it is stopped', async () => {
    const ends: (() => void)[] = [];
    const run = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const ticker = new Ticker({ everyMs: 100, run, onError: () => {} });
    ticker.start();
    const first = ticker.now();
    expect(ticker.now()).toBe(first);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(ends).toHaveLength(1);
    let stopped = false;
    const stopping = ticker.stop().then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(10);
    expect(stopped).toBe(false);
    ends[0]!();
    await stopping;
  });

  test('asks before each wait how long it shall be', async () => {
    const waits = [100, 1_000, 1_000];
    let runs = 0;
    const ticker = new Ticker({ everyMs: () => waits[runs]!, run: () => void runs++, onError: () => {} });
    ticker.start();
    await jest.advanceTimersByTimeAsync(110);
    expect(runs).toBe(1);
    await jest.advanceTimersByTimeAsync(900);
    expect(runs).toBe(1);
    await jest.advanceTimersByTimeAsync(200);
    expect(runs).toBe(2);
    await ticker.stop();
  });

  test('goes on after a failure, which it tells', async () => {
    const errors: string[] = [];
    const run = (): never => {
      throw new Error('no');
    };
    const ticker = new Ticker({ everyMs: 100, run, onError: (error) => errors.push(error.message) });
    ticker.start();
    await jest.advanceTimersByTimeAsync(250);
    expect(errors).toEqual(['no', 'no']);
    await ticker.stop();
  });
});
