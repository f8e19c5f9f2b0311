import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chainOf } from '../../jobs/digest.ts';
import { jobFacts } from '../../jobs/id.ts';
import { createSchemas } from '../schemas.ts';
import { isProblem, ItemParser, type ParsedItem } from './item-parser.ts';
import { JsonScanner } from './json-scan.ts';

const LIMIT = 1_000_000;
const { item: schema } = createSchemas({ maxIterations: LIMIT, maxBatchItems: 10_000 });
const parser = new ItemParser(schema, LIMIT);

function parse(text: string | Buffer): ParsedItem {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner();
  let at = 0;
  while (at < bytes.length) at = scanner.scan(bytes, at) + 1;
  return parser.parse('default', bytes, scanner);
}

function problemIn(text: string | Buffer): { slug: string; detail: string; errors: readonly object[] } {
  const item = parse(text);
  if (!isProblem(item)) throw new Error(`${text.toString()} was taken`);
  return item;
}

/** Values near what an item is, so that both the good and the almost good come up. */
const nearlyItems = fc.record(
  {
    data: fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constant('\ud800'),
      fc.integer(),
      fc.constant(null),
    ),
    dataBase64: fc.oneof(fc.base64String(), fc.string(), fc.constant('QR==')),
    digest: fc.oneof(fc.constant('a'.repeat(128)), fc.constant('A'.repeat(128)), fc.string()),
    iterations: fc.oneof(
      fc.integer({ min: -2, max: LIMIT + 2 }),
      fc.double(),
      fc.string(),
      fc.constant(null),
    ),
    extra: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

describe('an item', () => {
  test('is taken exactly when the schema takes it, whichever way it is checked', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyItems, fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        const taken = !isProblem(parse(text));
        expect(taken).toBe(schema.safeParse(JSON.parse(text)).success);
      }),
      { numRuns: 1_000 },
    );
  });

  test('names the job of its data, however the data is given', () => {
    const expected = jobFacts('default', chainOf('hällo'), 7);
    const base64 = Buffer.from('hällo').toString('base64');
    expect(parse('{"data":"hällo","iterations":7}')).toEqual(expected);
    expect(parse(String.raw`{"iterations":7e0,"data":"h\u00e4llo"}`)).toEqual(expected);
    expect(parse(`{"dataBase64":"${base64}","iterations":7}`)).toEqual(expected);
    expect(parse(`{"digest":"${chainOf('hällo')}","iterations":7}`)).toEqual(expected);
  });

  test.each([
    ['{"data":"a","iterations":1,"iterations":2}', 'invalid-request', '#/iterations', 'more than once'],
    [
      String.raw`{"data":"a","iterations":1,"iter\u0061tions":2}`,
      'invalid-request',
      '#/iterations',
      'more than once',
    ],
    ['{"data":"a","data":"a","iterations":2}', 'invalid-request', '#/data', 'more than once'],
    ['{"data":"a"}', 'invalid-request', '#/iterations', 'missing'],
    ['{"iterations":1}', 'invalid-request', '#', 'exactly one of data, dataBase64 and digest'],
    ['{"data":"a","digest":"b","iterations":1}', 'invalid-request', '#', 'exactly one'],
    ['{"data":5,"iterations":1}', 'invalid-request', '#/data', 'must be a string'],
    ['{"dataBase64":"QR==","iterations":1}', 'invalid-request', '#/dataBase64', 'unused bits'],
    ['{"digest":"ab","iterations":1}', 'invalid-request', '#/digest', '128 lower-case'],
    ['{"data":"a","iterations":1,"__proto__":{}}', 'invalid-request', '#/__proto__', 'not a field known'],
    ['{"data":"a","iterations":1,"a/b~":1}', 'invalid-request', '#/a~1b~0', 'not a field known'],
    [String.raw`{"data":"\ud800","iterations":1}`, 'invalid-request', '#/data', 'lone surrogate'],
    ['[]', 'invalid-request', '#', 'must be a JSON object'],
    ['null', 'invalid-request', '#', 'must be a JSON object'],
    [`{"data":${'['.repeat(100_000)}`, 'invalid-request', '#', 'nested deeper'],
    [`{"data":[${'1,'.repeat(100)}1],"iterations":1}`, 'invalid-request', '#', 'more than 64 values'],
  ])('%s is refused as %s at %s', (text, slug, pointer, message) => {
    const { slug: actual, errors } = problemIn(text);
    expect(actual).toBe(slug);
    expect(errors).toContainEqual({ pointer, detail: expect.stringContaining(message) as unknown });
  });

  test('is refused with everything that is wrong with it, each once', () => {
    const { errors } = problemIn('{"data":1,"iterations":-1.5,"x":1,"y":2}');
    const pointers = errors.map((error) => (error as { pointer: string }).pointer);
    expect(pointers.sort()).toEqual(['#/data', '#/iterations', '#/x', '#/y']);
  });

  test.each(['1.00000000000000000001', '999.99999999999999999', '10000000000000000000001e-22'])(
    'whose iterations are %s is refused, although a double rounds them',
    (iterations) => {
      const { slug, errors } = problemIn(`{"data":"a","iterations":${iterations}}`);
      expect([slug, errors]).toEqual([
        'invalid-request',
        [{ pointer: '#/iterations', detail: `iterations must be a whole number, not ${iterations}` }],
      ]);
    },
  );

  test('with very many unknown fields is refused without being parsed', () => {
    const keys = Array.from({ length: 990 }, (_, key) => `"k${key}":1`);
    expect(problemIn(`{${keys.join()}}`).errors).toEqual([
      { pointer: '#', detail: 'The item has more than 64 values.' },
    ]);
    const { detail, errors } = problemIn(`{${keys.slice(0, 30).join()}}`);
    expect([detail, errors.length]).toEqual([expect.stringMatching(/\(and 31 more\)/), 20]);
  });

  test('is not shown back at length', () => {
    const key = 'k'.repeat(100_000);
    const problem = problemIn(`{"${key}":1,"data":"a","iterations":1}`);
    expect(JSON.stringify(problem).length).toBeLessThan(1_000);
  });

  test('must be UTF-8, as what is hashed would otherwise not be what was sent', () => {
    const text = Buffer.from('{"data":"\xff","iterations":1}', 'latin1');
    expect(problemIn(text)).toMatchObject({
      slug: 'malformed-json',
      detail: expect.stringContaining('UTF-8') as unknown,
    });
  });
});
