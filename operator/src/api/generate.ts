import { mkdir, writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { stringify } from 'yaml';
import { customResourceDefinition } from './crd.ts';

/** Where the CRD is written by node operator/src/api/generate.ts: for people, and for the chart, which takes no file from outside. */
const FOLDERS = ['crds', 'charts/hashcluster/files'];
const FILE = 'hashclusters.hashcluster.io.yaml';
const ROOT = new URL('../../../', import.meta.url);
const NOTE = '# Written by `node operator/src/api/generate.ts`; its source is operator/src/api.\n';

const text = stringify(customResourceDefinition(), { aliasDuplicateObjects: false, lineWidth: 0 });
const formatted = await format(NOTE + text, { parser: 'yaml', printWidth: 110, singleQuote: true });
for (const folder of FOLDERS) {
  const target = new URL(`${folder}/`, ROOT);
  await mkdir(target, { recursive: true });
  await writeFile(new URL(FILE, target), formatted);
}
