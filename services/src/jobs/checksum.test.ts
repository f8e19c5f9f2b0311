import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checksumOf, recomputed, restarted, unrecoverable } from './checksum.ts';
import { chainOf } from './digest.ts';
import { jobFacts } from './id.ts';
import type { JobResult, LiveJob } from './job.ts';

const FACTS = jobFacts('default', chainOf('abc'), 20_000_000);
const POINT = { position: 700, digest: chainOf('at 700') };
const LIVE: LiveJob = {
  ...{ ...FACTS, ...POINT, class: 0, owner: 'w', attempts: 3 },
  ...{ createdAt: 5, queuedAt: 6 },
};
const RESULT: JobResult = {
  ...{ ...FACTS, outcome: 'done', digest: chainOf('wrong'), reason: null, computed: 9, worker: 'w' },
  ...{ createdAt: 5, startedAt: 6, finishedAt: 7, expiresAt: 1e9 },
};

/** The text with one bit of one of its hexadecimal digits flipped. */
function flipped(hex: string, bit: number): string {
  const at = Math.floor(bit / 4);
  const digit = (parseInt(hex[at]!, 16) ^ (1 << (bit % 4))).toString(16);
  return hex.slice(0, at) + digit + hex.slice(at + 1);
}

describe('the check value of a point', () => {
  test('is the CRC-32 of its text', () => {
    const facts = { ...FACTS, id: 'id', tenant: 't', chain: 'ab', iterations: 9 };
    // Computed with Python's zlib.crc32(b"id t ab 9 3 cd").
    expect(checksumOf(facts, { position: 3, digest: 'cd' })).toBe(250_527_337);
  });

  test('is another when any bit of a digest is flipped', () => {
    const stored = checksumOf(FACTS, POINT);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), (bit) => {
        expect(checksumOf(FACTS, { ...POINT, digest: flipped(POINT.digest, bit) })).not.toBe(stored);
        expect(checksumOf({ ...FACTS, chain: flipped(FACTS.chain, bit) }, POINT)).not.toBe(stored);
      }),
    );
  });

  test.each([
    { what: 'position', facts: FACTS, point: { ...POINT, position: 701 } },
    { what: 'number of iterations', facts: { ...FACTS, iterations: 20_000_001 }, point: POINT },
    { what: 'tenant', facts: { ...FACTS, tenant: 'other' }, point: POINT },
    { what: 'job', facts: { ...FACTS, id: jobFacts('other', FACTS.chain, 1).id }, point: POINT },
  ])('is another for another $what', ({ facts, point }) => {
    expect(checksumOf(facts, point)).not.toBe(checksumOf(FACTS, POINT));
  });
});

describe('a damaged point', () => {
  test('of a live job starts it again at the beginning of its chain, with its worker', () => {
    const begun = { ...LIVE, position: 1, digest: FACTS.chain, class: 2, attempts: 0 };
    expect(restarted(LIVE)).toEqual(begun);
  });

  test('of a result queues its job again', () => {
    const begun = { ...LIVE, position: 1, digest: FACTS.chain, class: 2, attempts: 0 };
    expect(recomputed(RESULT, { now: 10 })).toEqual({ ...begun, owner: null, queuedAt: 10 });
  });

  test.each([
    { what: 'chain', changes: { chain: chainOf('else') } },
    { what: 'iterations', changes: { iterations: 20_000_001 } },
    { what: 'tenant', changes: { tenant: 'other' } },
  ])('beside a damaged $what cannot be computed again', ({ changes }) => {
    expect(restarted({ ...LIVE, ...changes })).toBeNull();
    expect(recomputed({ ...RESULT, ...changes }, { now: 10 })).toBeNull();
    expect(unrecoverable({ ...LIVE, ...changes }, { now: 10, retentionMs: 5 })).toMatchObject({
      ...{ id: FACTS.id, outcome: 'failed', digest: null, finishedAt: 10, expiresAt: 15 },
      reason: expect.stringMatching(/damaged/),
    });
  });
});
