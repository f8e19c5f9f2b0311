import { describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { importCycles, importGraph } from './import-graph.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const graph = importGraph(ROOT, ['services', 'operator', 'e2e']);

describe('the import graph of this repository', () => {
  test('has the files and what they import, types included', () => {
    expect(graph.get('services/src/ports/bus.ts')).toEqual(['services/src/jobs/messages.ts']);
  });

  test('has no cycle: nothing depends on what depends on it', () => {
    expect(importCycles(graph)).toEqual([]);
  });
});

describe('cycles', () => {
  test.each<[string, Record<string, string[]>, string[][]]>([
    ['none in a chain', { a: ['b'], b: ['c'], c: [] }, []],
    ['none in a diamond', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
    ['a file that imports itself', { a: ['a'] }, [['a']]],
    ['two files', { a: ['b'], b: ['a'] }, [['a', 'b']]],
    ['a long way round', { a: ['b'], b: ['c'], c: ['d', 'e'], d: ['b'], e: [] }, [['b', 'c', 'd']]],
    [
      'two apart',
      { a: ['b', 'c'], b: ['a'], c: ['d'], d: ['c'] },
      [
        ['c', 'd'],
        ['a', 'b'],
      ],
    ],
    ['files outside of the graph', { a: ['x'] }, []],
  ])('%s', (_case, edges, expected) => {
    expect(importCycles(new Map(Object.entries(edges)))).toEqual(expected);
  });
});
