import { beforeAll, describe, expect, test } from '@jest/globals';
import { hash } from 'node:crypto';
import { iterate } from '../chaos/jobs.ts';
import type { Asked } from './history.ts';
import { JobMix, Reference } from './job-mix.ts';
import { origin, POINTS, readPoints, STRIDE } from './long-chain.ts';

describe('jobs whose answers are known', () => {
  let reference: Reference;
  beforeAll(async () => {
    reference = await Reference.make();
  }, 60_000);

  const make = (seed: string, count = 64): Asked[] => {
    const mix = new JobMix({ seed, reference, long: { count: 1, strides: 16 } });
    return Array.from({ length: count }, () => mix.next());
  };

  test('are the same for the same seed, and others for another', () => {
    expect(make('one')).toEqual(make('one'));
    expect(make('one').map(({ name }) => name)).not.toEqual(make('two').map(({ name }) => name));
  });

  test('have the answers that node:crypto gives', () => {
    for (const { body, chain, answer } of make('right').filter(({ body }) => body.iterations < STRIDE)) {
      expect(chain).toBe(body.digest ?? hash('sha512', body.data!));
      expect(iterate(chain, body.iterations - 1)).toBe(answer);
    }
  });

  test('are long where they are to be', () => {
    const long = make('long').filter(({ body }) => body.iterations > STRIDE);
    expect(long).toHaveLength(2);
    for (const { body } of long) expect(body.iterations).toBeLessThanOrEqual(16 * STRIDE + 1);
  });

  test('stand on a long chain that is what it says', () => {
    const points = readPoints();
    expect(points).toHaveLength(POINTS);
    expect(points[0]).toBe(origin());
    const at = Math.floor(Math.random() * (POINTS - 1));
    expect(iterate(points[at]!, STRIDE)).toBe(points[at + 1]);
  });
});
