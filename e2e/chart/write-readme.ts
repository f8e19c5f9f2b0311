import { readFile, writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { valuesTable } from './values-table.ts';

const CHART = new URL('../../charts/hashcluster/', import.meta.url);

/** The README of the chart: what is written by hand, and the table of its values. */
export async function chartReadme(): Promise<string> {
  const text = await readFile(new URL('values.yaml', CHART), 'utf8');
  const head = await readFile(new URL('README.md.in', CHART), 'utf8');
  return format(head.replace('VALUES', valuesTable(text)), { parser: 'markdown', printWidth: 140 });
}

if (process.argv[1] === import.meta.filename)
  await writeFile(new URL('README.md', CHART), await chartReadme());
