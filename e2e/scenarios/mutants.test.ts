import { afterAll, describe, expect, test } from '@jest/globals';
import { MUTANTS } from './mutants.ts';
import { patchedBuild, removePatchedBuilds } from './patched-build.ts';
import { SCENARIOS } from './registry.ts';

afterAll(() => removePatchedBuilds());

/** Everything that patches the build, also what only campaigns run. */
const PATCHED = [
  ...MUTANTS.flatMap(({ name, patches, control = [] }) => [
    { name, patches },
    { name: `control of ${name}`, patches: control },
  ]),
  ...SCENARIOS.map(({ name, oddWorker = [] }) => ({ name, patches: oddWorker })),
].filter(({ patches }) => patches.length > 0);

describe('a patch finds its text in the build', () => {
  test.each(PATCHED)('$name', async ({ name, patches }) => {
    await expect(patchedBuild(name.replaceAll(' ', '-'), patches)).resolves.toContain('hashcluster.js');
  });
});
