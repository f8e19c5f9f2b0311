import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonScanner, type Shape } from './json-scan.ts';

function shapeOf(chunks: readonly Buffer[]): Shape {
  const scanner = new JsonScanner();
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) at = scanner.scan(chunk, at) + 1;
  }
  return { keys: scanner.keys, depth: scanner.depth, values: scanner.values };
}

/** Cuts a buffer at arbitrary places. */
function cut(text: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends]
    .map((start, i) => text.subarray(start, ends[i] ?? text.length))
    .filter((c) => c.length > 0);
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('the scanner', () => {
  test('counts the keys of any object, and how deep it goes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const shape = shapeOf([Buffer.from(JSON.stringify(value))]);
        expect(shape.keys).toBe(Object.keys(value).length);
        expect(shape.depth).toBe(depthOf(value));
      }),
    );
  });

  test('sees the same in whatever chunks the text comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.nat(200)), (value, places) => {
        const text = Buffer.from(JSON.stringify(value));
        expect(shapeOf(cut(text, places))).toEqual(shapeOf([text]));
      }),
    );
  });

  test('is not misled by quotes, backslashes and brackets in strings, byte by byte', () => {
    const text = Buffer.from(String.raw`{"a\"}":"\\\\\"[{","b":"\\"}`);
    const bytes = [...text].map((byte) => Buffer.from([byte]));
    expect(shapeOf(bytes)).toEqual({ keys: 2, depth: 1, values: 2 });
  });

  test('stops at the comma or bracket that ends the text', () => {
    const scanner = new JsonScanner();
    const chunk = Buffer.from('{"a":[1,2]} , 5]');
    expect(scanner.scan(chunk, 0)).toBe(12);
    scanner.reset();
    expect(scanner.scan(chunk, 13)).toBe(15);
  });

  test('counts a key twice that is there twice', () => {
    expect(shapeOf([Buffer.from('{"a":1,"a":2}')]).keys).toBe(2);
  });
});
