import { afterAll, expect, test } from '@jest/globals';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { patched, type Patch } from '../../scenarios/patched-build.ts';
import { CHECKOUT } from '../../servers/container.ts';
import { failingSpans, readyWhileFailing, type ReadySample } from './operator-log.ts';
import { run } from './run.ts';

const BUILDS = join(CHECKOUT, '.cache', 'patched', `operator-${process.pid}`);
/** Half a minute, and a round. */
const SAID_AFTER_MS = 33_000;

afterAll(() => rm(BUILDS, { recursive: true, force: true }));

/** A copy of the built operator with one deliberate fault, or without. */
async function buildOf(name: string, patch: Patch | null): Promise<string> {
  const folder = join(BUILDS, name);
  await mkdir(folder, { recursive: true });
  const from = join(CHECKOUT, 'operator');
  await cp(join(from, 'package.json'), join(folder, 'package.json'));
  const isNeeded = (path: string): boolean => !/\.(map|d\.ts)$|\.test\.js$/.test(path);
  await cp(join(from, 'dist'), join(folder, 'dist'), { recursive: true, filter: isNeeded });
  if (patch) {
    const file = join(folder, 'dist', patch.file);
    await writeFile(file, patched(await readFile(file, 'utf8'), patch));
  }
  return folder;
}

/** What the check of the random walk finds wrong with a build of the operator while something fails for 90 s. */
async function problemsOf(build: string, fails: 'writing' | 'reading'): Promise<string[]> {
  const url = pathToFileURL(join(build, 'dist', 'testing', 'failing-rounds.js')).href;
  const script = `import { failingRounds } from ${JSON.stringify(url)};
console.log(JSON.stringify(await failingRounds('${fails}')));`;
  const text = await run(process.execPath, ['--input-type=module', '--eval', script]);
  const { said, log } = JSON.parse(text) as { readonly said: ReadySample[]; readonly log: string };
  return readyWhileFailing(said, failingSpans(log, 'ns/hc'), SAID_AFTER_MS);
}

const file = 'reconcile.js';
const mutants: [string, 'writing' | 'reading', Omit<Patch, 'file'>][] = [
  [
    'failing actions are only logged',
    'writing',
    { find: 'this.#failing.note(key, planned, outcome, now)', replace: '[]' },
  ],
  [
    'what cannot be read is only logged',
    'reading',
    { find: 'this.#failing.noteUnobserved(key, error, now);', replace: '' },
  ],
  [
    'a status behind a failing action is not made up for',
    'writing',
    { find: 'const isWritten = isStatusDone(planned, outcome);', replace: 'const isWritten = true;' },
  ],
];

test('readyWhileFailing finds nothing wrong with the operator', async () => {
  const build = await buildOf('original', null);
  expect(await problemsOf(build, 'writing')).toEqual([]);
  expect(await problemsOf(build, 'reading')).toEqual([]);
});

test.each(mutants)('readyWhileFailing finds a build in which %s', async (name, fails, patch) => {
  const build = await buildOf(name.replaceAll(' ', '-'), { file, ...patch });
  expect(await problemsOf(build, fails)).toEqual([expect.stringMatching(/^Ready=True at .* although /)]);
});
