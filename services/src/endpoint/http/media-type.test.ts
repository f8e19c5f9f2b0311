import { expect, test } from '@jest/globals';
import { documentType } from './media-type.ts';

test.each<[string | undefined, string | null]>([
  [undefined, null],
  ['', null],
  ['application/json', 'json'],
  ['Application/JSON; charset=UTF-8', 'json'],
  ['application/json;charset="utf8"', 'json'],
  ['application/json; charset=latin1', null],
  ['application/x-ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['text/plain', null],
  ['application/jsonp', null],
  ['application/x-www-form-urlencoded', null],
])('Content-Type %p is read as %p', (header, type) => {
  expect(documentType(header)).toBe(type);
});
