import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProblemError, type Problem } from '../problems.ts';
import { createSchemas } from '../schemas.ts';
import { isProblem, ItemParser, type ParsedItem } from './item-parser.ts';
import { JsonScanner } from './json-scan.ts';
import { LongItem, OUTLINE_BYTES } from './long-item.ts';

const { item } = createSchemas({ maxIterations: 1e6, maxBatchItems: 5 });
const parser = new ItemParser(item, 1e6);

function atOnce(text: Buffer): ParsedItem {
  const shape = new JsonScanner();
  for (let at = 0; at < text.length;) at = shape.scan(text, at) + 1;
  return parser.parse('default', text, shape);
}

function streamed(text: Buffer, size: number): ParsedItem {
  const long = new LongItem(parser);
  try {
    for (let at = 0; at < text.length; at += size) long.write(text.subarray(at, at + size));
    return long.end('default');
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
}

/** An error, but for a character that is shown: streamed, half of a pair is not there to be shown. */
function shown(error: object): string {
  return JSON.stringify(error).replace(/(character \d+ is).*"/, '$1"');
}

/** What of an item both ways must say alike: positions in malformed texts differ, and the order of errors. */
function essence(parsed: ParsedItem): unknown {
  if (!isProblem(parsed)) return parsed;
  const { slug, errors } = parsed;
  return {
    slug,
    errors: slug === 'malformed-json' ? [] : errors.map(shown).sort(),
  };
}

function expectAlike(text: Buffer, size: number): void {
  expect(essence(streamed(text, size))).toEqual(essence(atOnce(text)));
}

/** Pieces of JSON strings, good and bad. */
const pieces = fc.array(
  fc.constantFrom(
    ...['a', 'QUJD', 'ä', '€', '😀', '\\n', '\\/', '\\\\', '\\"', '\\u0041', '\\u20ac', '\\ud83d\\ude00'],
    ...[
      '\\ud83d',
      '\\ude00',
      '\\uD83D\\n',
      '\\u00',
      '\\x',
      '\\',
      '\n',
      '\u0001',
      '=',
      '==',
      ' ',
      '"',
      ',',
      '{',
    ],
  ),
  { maxLength: 12 },
);
const goodPieces = fc.array(
  fc.constantFrom('a', 'ä', '€', '😀', '\\n', '\\/', '\\\\', '\\"', '\\u0041', '\\ud83d\\ude00', 'QUJD'),
  { maxLength: 12 },
);

describe('a long item', () => {
  test('is what it is when it is parsed at once, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('data', 'dataBase64', 'd\\u0061ta', 'digest', 'other'),
        fc.oneof(goodPieces, pieces),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('', ',"iterations":5', ', "iterations" : 5 ,"x":[1,{"data":"y"}]', ',"data":"again"'),
        (key, content, size, more) => {
          expectAlike(Buffer.from(`{"${key}" : "${content.join('')}"${more}}`), size);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test.each([
    '{"iterations":5,"data":"x"}',
    '{"data":5,"iterations":5}',
    '{"data":null,"iterations":5}',
    '{"data":["data"],"iterations":5}',
    '{"data":"x","dataBase64":"eA==","iterations":5}',
    '{"dataBase64":"QR==","iterations":5}',
    '{"dataBase64":"QUJDRA==","iterations":5}',
    '{"dataBase64":"QUJDRA=","iterations":5}',
    '{"dataBase64":"QUJD=RA=","iterations":5}',
    '{"dataBase64":"QUJD*UJD","iterations":0}',
    '{"dataBase64":"QUJ\\u0044","iterations":5}',
    '{"data":"x","data":"x","iterations":5}',
    '{"data":"\\ud800","iterations":5}',
    '{"data":"x","iterations":5} 1',
    '{"data":"x" "iterations":5}',
    '{"data":"x","iterations":5',
    '{"data":"x","iterations":1 2}',
    '{ \u0000"data":"x","iterations":5}',
    '{:"data","iterations":5}',
    '[{"data":"x"}]',
    '"data"',
  ])('%s means the same', (text) => {
    for (let size = 1; size < 9; size++) expectAlike(Buffer.from(text), size);
  });

  test('must be UTF-8', () => {
    const text = Buffer.from('{"data":"a\xe4b","iterations":1}', 'latin1');
    for (let size = 1; size < 9; size++)
      expect(essence(streamed(text, size))).toMatchObject({ slug: 'malformed-json' });
  });

  test('may have blanks without end, and nothing else beside its data', () => {
    const blanks = ' \n'.repeat(OUTLINE_BYTES);
    expect(essence(streamed(Buffer.from(`{${blanks}"data":"x",${blanks}"iterations":5}`), 8_192))).toEqual(
      atOnce(Buffer.from('{"data":"x","iterations":5}')),
    );
    const other = Buffer.from(`{"data":"x","other":"${'x'.repeat(OUTLINE_BYTES)}"}`);
    expect((streamed(other, 8_192) as Problem).detail).toMatch(/more than 65536 bytes beside its data/);
  });
});
