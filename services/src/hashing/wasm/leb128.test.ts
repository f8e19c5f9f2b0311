import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { signedLeb128, unsignedLeb128 } from './leb128.ts';

/** The definition read backwards: seven bits a byte, the lowest first. */
function decode(bytes: readonly number[], signed: boolean): bigint {
  const value = bytes.reduce((sum, byte, i) => sum + (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
  return signed ? BigInt.asIntN(7 * bytes.length, value) : value;
}

describe('LEB128', () => {
  test.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [624_485, [0xe5, 0x8e, 0x26]],
  ])('%d without a sign', (value, bytes) => {
    expect(unsignedLeb128(value)).toEqual(bytes);
  });

  test.each([
    [0, [0]],
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [-1, [0x7f]],
    [-64, [0x40]],
    [-65, [0xbf, 0x7f]],
    [-123_456, [0xc0, 0xbb, 0x78]],
  ])('%d with a sign', (value, bytes) => {
    expect(signedLeb128(value)).toEqual(bytes);
  });

  test('every number comes back, and only the last byte ends it', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), (signed, unsigned) => {
        for (const bytes of [signedLeb128(signed), unsignedLeb128(unsigned)]) {
          expect(bytes.map((byte) => byte >= 0x80)).toEqual(bytes.map((_, i) => i < bytes.length - 1));
        }
        expect(decode(signedLeb128(signed), true)).toBe(BigInt(signed));
        expect(decode(unsignedLeb128(unsigned), false)).toBe(BigInt(unsigned));
      }),
    );
  });
});
