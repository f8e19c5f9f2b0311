import { describe, expect, test } from '@jest/globals';
import { WithoutBom } from './without-bom.ts';

/** What reaches the sink of a document that comes in these pieces. */
function received(...pieces: readonly (string | number[])[]): string {
  const got: Buffer[] = [];
  const sink = new WithoutBom({
    write: (piece) => {
      got.push(Buffer.from(piece));
      return piece.length;
    },
  });
  for (const one of pieces) {
    const piece = Buffer.from(one as string);
    for (let at = 0; at < piece.length;) at += sink.write(piece.subarray(at));
  }
  sink.end();
  return Buffer.concat(got).toString('latin1');
}

describe('a byte order mark', () => {
  test.each([
    ['at the start', [[0xef, 0xbb, 0xbf, 0x7b]], '{'],
    ['in two pieces', [[0xef], [0xbb, 0xbf, 0x7b]], '{'],
    ['in three pieces', [[0xef], [0xbb], [0xbf], '{'], '{'],
    ['that is all there is', [[0xef, 0xbb, 0xbf]], ''],
    ['that is not complete', [[0xef, 0xbb], '{'], '\u00ef\u00bb{'],
    ['that ends too early', [[0xef, 0xbb]], '\u00ef\u00bb'],
    ['later', ['{', [0xef, 0xbb, 0xbf]], '{\u00ef\u00bb\u00bf'],
    ['twice', [[0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]], '\u00ef\u00bb\u00bf'],
    ['that is not there', ['{}'], '{}'],
    ['of nothing', [], ''],
  ] as const)('%s', (_name, pieces, expected) => {
    expect(received(...(pieces as readonly (string | number[])[]))).toBe(expected);
  });
});
