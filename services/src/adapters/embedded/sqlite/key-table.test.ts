import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KeyTable } from './key-table.ts';

describe('the table of keys', () => {
  const key = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
  const change = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value: fc.integer({ min: 1, max: 1e9 }) }),
    fc.record({ kind: fc.constant('delete' as const), key }),
    fc.record({ kind: fc.constant('clear' as const), key }),
  );

  test('holds what a map would hold', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), fc.array(key), (changes, others) => {
        const table = new KeyTable(512);
        const map = new Map<number, number>();
        for (const each of changes) {
          if (each.kind === 'clear') {
            if (each.key > 3) continue;
            table.clear();
            map.clear();
          } else if (each.kind === 'set') {
            table.set(each.key, each.value);
            map.set(each.key, each.value);
          } else {
            table.delete(each.key);
            map.delete(each.key);
          }
        }
        for (const each of [...others, ...changes.map((one) => one.key)])
          expect(table.get(each)).toBe(map.get(each));
        expect([...table.sortedKeys(new Float64Array(512))]).toEqual(
          [...map.keys()].toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test('is full when half of it is taken, by removed keys as well', () => {
    const table = new KeyTable(8);
    for (const each of [10, 20, 30]) table.set(each, 1);
    table.delete(20);
    table.set(10, 2);
    expect(table.full).toBe(false);
    table.set(40, 1);
    expect(table.full).toBe(true);
    table.clear();
    expect(table.full).toBe(false);
  });

  test('knows nothing of numbers that are no keys', () => {
    const table = new KeyTable(8);
    expect([NaN, -1, 0.5, 2 ** 60].map((each) => table.get(each))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
