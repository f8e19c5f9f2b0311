import { describe, expect, test } from '@jest/globals';
import { computed, job, wrongDigest } from '../../../ports/job-store-conformance-facts.ts';
import type { Submission, Submitted } from '../../../ports/job-store.ts';
import { againOf, wavesOf } from './waves.ts';

const REUSE = 1_000;
const short = job('short', 5);
const long = (iterations: number, tenant?: string) => job('chain', iterations, tenant);
const wrong: Submission = { ...short, computed: { digest: wrongDigest(short.chain, 5) } };

describe('the waves of a batch', () => {
  test.each<{ what: string; batch: Submission[]; waves: number[][]; repeats?: [number, number][] }>([
    { what: 'nothing', batch: [], waves: [] },
    { what: 'different jobs', batch: [short, job('b'), computed(job('c'))], waves: [[0, 1, 2]] },
    {
      what: 'the same again and again',
      batch: [short, short, job('b'), short],
      waves: [[0, 2]],
      repeats: [
        [1, 0],
        [3, 0],
      ],
    },
    { what: 'a job, then its digest', batch: [short, computed(short)], waves: [[0], [1]] },
    {
      what: 'a digest, the same, another, and the job',
      batch: [computed(short), computed(short), wrong, short],
      waves: [[0], [2], [3]],
      repeats: [[1, 0]],
    },
    {
      what: 'a chain, then a longer job on it',
      batch: [computed(long(2_000)), long(3_000)],
      waves: [[0], [1]],
    },
    {
      what: 'a job, then what it could go on from',
      batch: [long(3_000), computed(long(2_000))],
      waves: [[0], [1]],
    },
    { what: 'jobs on one chain', batch: [long(2_000), long(3_000), long(2_000, 'b')], waves: [[0, 1, 2]] },
    { what: 'digests on one chain', batch: [computed(long(2_000)), computed(long(3_000))], waves: [[0, 1]] },
    { what: 'a chain that is not worth it', batch: [computed(long(999)), long(3_000)], waves: [[0, 1]] },
    {
      what: 'a chain in three steps',
      batch: [computed(long(2_000)), long(3_000), computed(long(2_500)), job('b')],
      waves: [[0, 3], [1], [2]],
    },
  ])('$what', ({ batch, waves, repeats = [] }) => {
    const found = wavesOf(batch, REUSE);
    expect(found.waves).toEqual(waves);
    expect([...found.repeats]).toEqual(repeats);
  });
});

describe('the same submission again', () => {
  const live = { id: 'x' } as never;
  test.each<{ first: Submitted; again: Submitted }>([
    { first: { kind: 'created', job: live }, again: { kind: 'joined', job: live } },
    { first: { kind: 'joined', job: live }, again: { kind: 'joined', job: live } },
    {
      first: { kind: 'known', result: live, fresh: true },
      again: { kind: 'known', result: live, fresh: false },
    },
    { first: { kind: 'contradiction', result: live }, again: { kind: 'contradiction', result: live } },
  ])('after $first.kind is $again.kind', ({ first, again }) => {
    expect(againOf(first)).toEqual(again);
  });
});
