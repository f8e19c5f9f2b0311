import { expect, test } from '@jest/globals';
import { killNine } from './kill-nine.ts';

/** A few rounds for every test run; `npm run chaos` makes a hundred. */
const ROUNDS = 6;

test('kill -9 at random moments loses no acknowledged job, no digest and no checkpoint', async () => {
  const report = await killNine({ rounds: ROUNDS, seed: `test ${Date.now()}`, say: () => {} });
  expect(report).toMatchObject({ rounds: ROUNDS, lost: [], wrong: [], behindCheckpoint: [], doubled: [] });
  expect(report.acknowledged).toBeGreaterThan(ROUNDS);
}, 400_000);
