import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { ClusterSpecInput } from '../api/spec.ts';
import { allChildren, contextOf } from '../plan/desired/testing.ts';

/** Prints, as YAML, what the operator makes of each HashCluster, but Secrets: node operator/src/testing/print-children.ts FILE… */
for (const file of process.argv.slice(2)) {
  const { spec } = parse(await readFile(file, 'utf8')) as { readonly spec: ClusterSpecInput };
  for (const child of allChildren(contextOf(spec))) process.stdout.write(`---\n${JSON.stringify(child)}\n`);
}
