import { describe, expect, test } from '@jest/globals';
import { chainOf, DIGEST_BYTES, DIGEST_PATTERN } from './digest.ts';

describe('the beginning of a chain', () => {
  // Source: NIST FIPS 180-4 examples for SHA-512, "abc"; and the empty message.
  test.each([
    [
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    [
      '',
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    ],
  ])('of %j is its SHA-512', (data, digest) => {
    expect(chainOf(data)).toBe(digest);
    expect(chainOf(Buffer.from(data))).toBe(digest);
    expect(digest).toMatch(DIGEST_PATTERN);
    expect(digest).toHaveLength(2 * DIGEST_BYTES);
  });
});
