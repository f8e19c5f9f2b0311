import { mkdir, writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { stringify } from 'yaml';
import { customResourceDefinition } from './crd.ts';

/** Writes `crds/hashclusters.hashcluster.io.yaml`: node operator/src/api/generate.ts */
const FILE = new URL('../../../crds/hashclusters.hashcluster.io.yaml', import.meta.url);
const NOTE = '# Written by `node operator/src/api/generate.ts`; its source is operator/src/api.\n';

await mkdir(new URL('.', FILE), { recursive: true });
const text = stringify(customResourceDefinition(), { aliasDuplicateObjects: false, lineWidth: 0 });
await writeFile(FILE, await format(NOTE + text, { parser: 'yaml', printWidth: 110, singleQuote: true }));
