import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';

/** Prints the modules of Node and of packages that are there once the operator's program has been imported. */
const SCRIPT = `
  const { registerHooks } = await import('node:module');
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  await import('./operator/src/process.ts');
  console.log([...loaded, ...process.moduleLoadList].join('\\n'));
`;

describe('an operator in a pod', () => {
  const loaded = execFileSync(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    encoding: 'utf8',
    maxBuffer: 16 << 20,
  }).split('\n');

  test.each<[string, RegExp]>([
    ['Node’s fetch: it speaks by node:http', /deps\/undici/],
    ['client-node, the models of the whole API: only a kubeconfig needs it', /@kubernetes\/client-node/],
    ['the MongoDB driver: only managed MongoDBs need it', /node_modules\/mongodb\//],
  ])('does not load %s', (_what, module) => {
    expect(loaded.filter((name) => module.test(name))).toEqual([]);
  });

  test('loads what it measures with, as far as this test can see', () => {
    const measures = loaded.filter((name) => name.includes('@opentelemetry/sdk-metrics'));
    expect([measures.length > 0, loaded.includes('NativeModule http')]).toEqual([true, true]);
  });
});
