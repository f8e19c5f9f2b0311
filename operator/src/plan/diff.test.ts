import { describe, expect, test } from '@jest/globals';
import { differences } from './diff.ts';

const quantities = (requests: object) => ({ resources: { requests } });
const env = (...names: readonly string[]) => ({ env: names.map((name) => ({ name, value: 'x' })) });

describe('no difference is', () => {
  test.each<[string, unknown, unknown]>([
    ['a field that only the API server or others have set', { a: 1 }, { a: 1, b: 2 }],
    ['an empty map that is not stored', { selector: {} }, {}],
    ['an empty list that is not stored', { egress: [] }, { egress: null }],
    ['an empty text that is not stored', { value: '' }, {}],
    ['a field that is not given', { a: undefined }, {}],
    ['the same amount, written otherwise', quantities({ cpu: '1' }), quantities({ cpu: '1000m' })],
    ['an amount that was written as a number', quantities({ cpu: 2 }), quantities({ cpu: '2' })],
    ['another entry in a list that is merged', env('a'), env('b', 'a')],
    [
      'defaults within the entries of a list',
      { ports: [{ port: 1 }] },
      { ports: [{ port: 1, protocol: 'TCP' }] },
    ],
  ])('%s', (_, desired, live) => {
    expect(differences(desired, live)).toEqual([]);
  });
});

describe('a difference is told by its path:', () => {
  test.each<[string, unknown, unknown, readonly string[]]>([
    ['another value', { spec: { a: 1, b: 2 } }, { spec: { a: 1, b: 3 } }, ['spec.b']],
    ['a missing field', { spec: { a: 1 } }, {}, ['spec']],
    ['another type', { a: '1' }, { a: 1 }, ['a']],
    ['another amount', quantities({ cpu: '1' }), quantities({ cpu: '1001m' }), ['resources.requests.cpu']],
    [
      'an amount that is none',
      quantities({ cpu: 'a' }),
      quantities({ cpu: 'b' }),
      ['resources.requests.cpu'],
    ],
    ['a missing entry', env('a', 'b'), env('b'), ['env[0]']],
    ['a changed entry', env('a'), { env: [{ name: 'a', value: 'y' }] }, ['env[0].value']],
    ['more in a list that is one value', { args: ['a'] }, { args: ['a', 'b'] }, ['args']],
    ['another order in such a list', { args: ['a', 'b'] }, { args: ['b', 'a'] }, ['args[0]', 'args[1]']],
    ['one more label to select by', { selector: { a: 'b' } }, { selector: { a: 'b', c: 'd' } }, ['selector']],
    ['a selection where all were wanted', { podSelector: {} }, { podSelector: { a: 'b' } }, ['podSelector']],
    ['rules that somebody added', { ingress: [] }, { ingress: [{}] }, ['ingress']],
  ])('%s', (_, desired, live, paths) => {
    expect(differences(desired, live)).toEqual(paths);
  });
});
