import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { closingQuote } from './closing-quote.ts';

/** Byte by byte, as RFC 8259 says it. */
function plainly(chunk: Buffer, from: number): number {
  let i = from;
  while (i < chunk.length && chunk[i] !== 0x22) i += chunk[i] === 0x5c ? 2 : 1;
  return i;
}

describe('the quote that closes a string', () => {
  test('is found wherever it stands, whatever is escaped before', () => {
    const parts = fc.array(fc.constantFrom('a', 'x'.repeat(80), '\\"', '\\\\', '\\', '"'), { maxLength: 12 });
    fc.assert(
      fc.property(parts, fc.nat(20), (strings, from) => {
        const chunk = Buffer.from(strings.join(''));
        expect(closingQuote(chunk, from)).toBe(plainly(chunk, from));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['escaped quotes', '\\"'],
    ['escaped backslashes', '\\\\'],
    ['plain text', 'xx'],
  ])('is searched for a few times, not for each of the bytes, in %s', (_what, pair) => {
    const chunk = Buffer.from(pair.repeat(32_000));
    const search = chunk.indexOf.bind(chunk);
    let searches = 0;
    chunk.indexOf = (value, from) => {
      searches++;
      return search(value, from as number);
    };
    expect(closingQuote(chunk, 0)).toBe(chunk.length);
    expect(searches).toBeLessThanOrEqual(chunk.length / 64);
  });
});
