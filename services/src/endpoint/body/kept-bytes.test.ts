import { expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MAX_BATCH_ITEMS, MAX_ITERATIONS } from '../../jobs/limits.ts';
import { createSchemas } from '../schemas.ts';
import { ItemParser, type ParsedItem } from './item-parser.ts';
import { JsonScanner } from './json-scan.ts';
import { keptBytes } from './kept-bytes.ts';

const ITEMS = 1_000;
const schemas = createSchemas({ maxIterations: MAX_ITERATIONS, maxBatchItems: MAX_BATCH_ITEMS });
const parser = new ItemParser(schemas.item, MAX_ITERATIONS);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function parsed(text: string): ParsedItem {
  const bytes = Buffer.from(text);
  const shape = new JsonScanner();
  for (let at = 0; at < bytes.length;) at = shape.scan(bytes, at) + 1;
  return parser.parse('default', bytes, shape);
}

const unknownKeys = (count: number, name: (key: number) => string): string =>
  `{${Array.from({ length: count }, (_, key) => `${JSON.stringify(name(key))}:1`).join()}}`;

test.each<[string, (i: number) => string]>([
  ['good items', (i) => `{"data":"d${i}","iterations":1000}`],
  ['24 unknown keys each', () => unknownKeys(24, (key) => `k${key}`)],
  ['24 unknown keys outside of Latin-1', () => unknownKeys(24, (key) => `一${key}`)],
  ['24 unknown keys that are long', () => unknownKeys(24, (key) => `${key}`.padEnd(60, 'x'))],
  ['24 unknown keys that are escaped', () => unknownKeys(24, (key) => `${key}`.padEnd(60, '~/"\u0001'))],
  ['no key', () => '{}'],
  ['no JSON', (i) => `{"data":"${i}"x}`],
])('of %s, no more is kept than is charged', (_what, textOf) => {
  parsed(textOf(0));
  const before = heapUsed();
  const items = Array.from({ length: ITEMS }, (_, i) => parsed(textOf(i)));
  const grown = heapUsed() - before;
  expect(grown).toBeLessThan(items.reduce((sum, item) => sum + keptBytes(item), 0));
});
