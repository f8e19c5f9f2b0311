import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Measures } from './measures.ts';
import type { Metrics } from './runtime/measures.ts';

const PAGE = fileURLToPath(new URL('../../docs/operations.md', import.meta.url));

test('the table of metrics has every metric of the operator, as it is registered', () => {
  const rows: string[] = [];
  const note =
    (kind: string) =>
    (name: string, { description }: { readonly description: string }): never =>
      rows.push(`\`${name}\` | ${kind} | ${description}`) as never;
  const metrics: Metrics = {
    ...{ counter: note('counter'), histogram: note('histogram'), gauge: note('gauge') },
  };
  new Measures(metrics).watch({ caches: () => [], queue: () => null });

  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const table = lines.slice(lines.findIndex((line) => line.startsWith('| Metric of the operator')) + 2);
  const end = table.findIndex((line) => !line.startsWith('|'));
  const cells = (row: string): string[] => row.slice(1, -1).split('|');
  const documented = table.slice(0, end).map((row) =>
    cells(row)
      .map((cell) => cell.trim())
      .join(' | '),
  );
  expect(documented).toEqual(rows.sort());
});
