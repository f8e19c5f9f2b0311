import { describe, expect, test } from '@jest/globals';
import { engineFor, nextMove } from './placement.ts';

const load = (chains: number, iterationsLeft = chains): { chains: number; iterationsLeft: number } => ({
  chains,
  iterationsLeft,
});

describe('the engine for a new chain', () => {
  test.each([
    ['is the first when all are empty', [load(0), load(0)], 0],
    ['is the one with fewer chains while lanes are free', [load(3, 1), load(2, 999)], 1],
    ['is the one with a free lane even when it has more work', [load(8, 10), load(7, 1e9)], 1],
    ['is the one with less work when no lane is free', [load(8, 1e9), load(20, 1e6)], 1],
  ])('%s', (_, loads, engine) => {
    expect(engineFor(loads, 8)).toBe(engine);
  });
});

describe('moving chains', () => {
  test.each([
    [
      'takes half the difference from the fullest to the emptiest',
      [load(20), load(3), load(9)],
      { from: 0, to: 1, chains: 8 },
    ],
    [
      'helps an idle engine even when the other has lanes for all',
      [load(8), load(0)],
      { from: 0, to: 1, chains: 4 },
    ],
    ['leaves a difference of one alone', [load(4), load(3)], null],
    ['leaves engines alone that have no lane free', [load(100), load(8)], null],
    ['leaves a single engine alone', [load(5)], null],
  ])('%s', (_, loads, move) => {
    expect(nextMove(loads, 8)).toEqual(move);
  });
});
