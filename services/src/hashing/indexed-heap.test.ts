import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IndexedHeap } from './indexed-heap.ts';

describe('an indexed heap', () => {
  test('gives slots in the order of their keys, whatever was put in and taken out', () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), key: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ kind: fc.constant('pop' as const), key: fc.constant(0) }),
      fc.record({ kind: fc.constant('delete' as const), key: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const keys: number[] = [];
        const heap = new IndexedHeap((slot) => keys[slot]!);
        const model = new Set<number>();
        for (const { kind, key } of operations) {
          if (kind === 'push') {
            keys.push(key);
            heap.push(keys.length - 1);
            model.add(keys.length - 1);
          } else if (kind === 'delete') {
            expect(heap.delete(key)).toBe(model.delete(key));
          } else {
            const slot = heap.pop();
            const smallest = Math.min(...[...model].map((s) => keys[s]!));
            expect(slot === undefined ? Infinity : keys[slot]).toBe(smallest);
            model.delete(slot!);
          }
          expect(heap.size).toBe(model.size);
        }
      }),
    );
  });

  test('says undefined when it is empty', () => {
    const heap = new IndexedHeap((slot) => slot);
    expect(heap.pop()).toBeUndefined();
    expect(heap.peek()).toBeUndefined();
  });
});
