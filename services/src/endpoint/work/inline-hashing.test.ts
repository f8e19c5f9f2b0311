import { describe, expect, test } from '@jest/globals';
import { advanced, ManualClock, PlainInlineHasher } from '../testing/doubles.ts';
import { facts } from '../testing/jobs.ts';
import { InlineHashing } from './inline-hashing.ts';

/** Hashes, and takes as long on the clock as that many iterations a millisecond. */
class TimedHasher extends PlainInlineHasher {
  readonly took: number[] = [];
  readonly #clock: ManualClock;
  readonly #rate: number;

  constructor(clock: ManualClock, rate: number) {
    super();
    this.#clock = clock;
    this.#rate = rate;
  }

  override iterate(digests: readonly string[], steps: readonly number[]): string[] {
    const ms = steps.reduce((sum, step) => sum + step, 0) / this.#rate;
    this.took.push(ms);
    this.#clock.advance(ms);
    return super.iterate(digests, steps);
  }
}

function setup(rate = 1_000) {
  const clock = new ManualClock();
  const hasher = new TimedHasher(clock, rate);
  return { hasher, inline: new InlineHashing({ hasher, clock, maxIterations: 2_000 }) };
}

describe('hashing inline', () => {
  test('brings the digests of short jobs, and leaves long ones alone', async () => {
    const { inline, hasher } = setup();
    const jobs = [facts('a', 1), facts('b', 2_000), facts('c', 2_001), facts('d', 5)];
    const submissions = await inline.compute(jobs);
    expect(submissions).toEqual([
      { ...jobs[0], computed: { digest: jobs[0]!.chain } },
      { ...jobs[1], computed: { digest: advanced(jobs[1]!.chain, 1_999) } },
      jobs[2],
      { ...jobs[3], computed: { digest: advanced(jobs[3]!.chain, 4) } },
    ]);
    expect(hasher.calls).toEqual([[1_999, 4]]);
  });

  test('needs no hasher for a job of one iteration', async () => {
    const { inline, hasher } = setup();
    await inline.compute([facts('a', 1)]);
    expect(hasher.calls).toEqual([]);
  });

  test('hashes in slices, between which others get their turn', async () => {
    const { inline, hasher } = setup();
    const turns = { now: 0, counting: true };
    const count = (): void => {
      turns.now++;
      if (turns.counting) setImmediate(count);
    };
    count();
    const turnOfCall: number[] = [];
    const iterate = hasher.iterate.bind(hasher);
    hasher.iterate = (digests, steps) => {
      turnOfCall.push(turns.now);
      return iterate(digests, steps);
    };
    const submissions = await inline.compute(Array.from({ length: 60 }, (_, i) => facts(`job ${i}`, 1_001)));
    turns.counting = false;
    expect(submissions.every((submission) => submission.computed !== undefined)).toBe(true);
    expect(turnOfCall.length).toBeGreaterThan(5);
    expect(new Set(turnOfCall).size).toBe(turnOfCall.length);
  });

  test.each([20, 100, 5_000])(
    'holds nobody up for more than 10 ms, at %d iterations a millisecond',
    async (rate) => {
      const { inline, hasher } = setup(rate);
      for (let round = 0; round < 10; round++)
        await inline.compute(Array.from({ length: 200 }, (_, i) => facts(`${round} ${i}`, 101)));
      const settled = hasher.took.slice(-20);
      expect(Math.max(...settled)).toBeLessThanOrEqual(10);
    },
  );
});
