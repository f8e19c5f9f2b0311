import { expect, test } from '@jest/globals';
import { repeatedKey } from './repeated-key.ts';

test.each([
  ['{"a":1,"b":2}', null],
  ['{"a":1,"a":2}', 'a'],
  [String.raw`{"iterations":1,"iter\u0061tions":2}`, 'iterations'],
  ['{"a":{"b":1,"b":2},"b":3}', null],
  ['{"a":"a","b":["a","a"]}', null],
  [String.raw`{"a\":":1,"x":"\"a\":","a\":":2}`, 'a":'],
  ['{ "a" : 1 , "a" : 2 }', 'a'],
  [`{"data":"${'a'.repeat(8_000_000)}","data":"x"}`, 'data'],
])('in %.40s the repeated key is %p', (text, key) => {
  expect(repeatedKey(text)).toBe(key);
});
