import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCompiler } from './compiler.ts';
import { compilerSetting } from './settings.ts';

/** Compilers are slow where many work at once: 5 minutes, in milliseconds. */
const PATIENCE_MS = 300_000;

const compiler = findCompiler(compilerSetting());
if (compiler === null) process.stderr.write('SKIPPED compiling the native kernels: there is no C compiler\n');
const withCompiler = compiler === null ? test.skip : test;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hashcluster-native-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** A script of this folder, in a process of its own; `environment` is all that it gets besides PATH. */
async function run(
  script: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    env: {
      ...(compiler && { CC: compiler.join(' '), PATH: '/usr/local/bin:/usr/bin:/bin' }),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ran = { out: '', errors: '' };
  child.stdout.on('data', (chunk) => (ran.out += String(chunk)));
  child.stderr.on('data', (chunk) => (ran.errors += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  return { code, ...ran };
}

/** A program that says it is a compiler and then does as told. */
function pretender(name: string, does: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && exit 0\n${does}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('build.ts', () => {
  const sentence =
    /^No C compiler found: hashing will use WebAssembly, .*; install gcc or clang and run `npm run build` again\n$/;

  test.each([
    ['an empty PATH', { PATH: '', CC: '' }],
    ['a CC that is not there', { CC: '/nowhere/cc' }],
  ])('with %s it says so in one sentence and ends well', async (_, environment) => {
    const output = join(folder, 'none.node');
    const { code, out, errors } = await run('build.ts', ['--out', output], environment);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(out).toMatch(sentence);
    expect(existsSync(output)).toBe(false);
  });

  test('without a compiler, a module that was made from other sources is removed', async () => {
    const output = join(folder, 'stale.node');
    writeFileSync(output, 'old');
    writeFileSync(`${output}.stamp`, 'cc\nother sources\n');
    expect((await run('build.ts', ['--out', output], { CC: '/nowhere/cc' })).out).toMatch(sentence);
    expect(existsSync(output)).toBe(false);
  });

  test('a compiler that fails is heard, and ends it with 1', async () => {
    const output = join(folder, 'broken.node');
    const failing = pretender('failing-cc', 'echo "kernel.c:7: no such thing" >&2; exit 3');
    const { code, errors } = await run('build.ts', ['--out', output], { CC: failing });
    expect(code).toBe(1);
    expect(errors).toContain('kernel.c:7: no such thing');
    expect(existsSync(output)).toBe(false);
  });

  test('options in CC reach the compiler, which gets one call for everything', async () => {
    const output = join(folder, 'called.node');
    const calls = join(folder, 'calls');
    const recording = pretender(
      'recording-cc',
      `echo "$@" >> ${calls}; while [ "$1" != -o ]; do shift; done; : > "$2"`,
    );
    expect((await run('build.ts', ['--out', output], { CC: `${recording} -m64 -pipe` })).code).toBe(0);
    const lines = readFileSync(calls, 'utf8').trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^-m64 -pipe -O3 -shared -fPIC .*addon\.c .*kernel-portable\.c/),
    ]);
  });

  test('what is up to date is left alone, and other flags are not', async () => {
    const output = join(folder, 'kept.node');
    const build = async (cc: string) => (await run('build.ts', ['--out', output], { CC: cc })).out;
    const writing = pretender('writing-cc', 'while [ "$1" != -o ]; do shift; done; : > "$2"');
    expect(await build(writing)).toMatch(/^Built /);
    const made = statSync(output).ino;
    expect(await build(writing)).toBe('');
    expect(await build('/nowhere/cc')).toBe('');
    expect(statSync(output).ino).toBe(made);
    expect(await build(`${writing} -g`)).toMatch(/^Built /);
  });

  test('--help explains it, and what it does not know is refused with 2', async () => {
    expect(await run('build.ts', ['--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('--out FILE'),
    });
    expect(await run('build.ts', ['--speed'])).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--speed'),
    });
  });
});

describe('fuzz.ts', () => {
  withCompiler(
    'every kernel of this processor gives what FIPS 180-4 gives, with nothing for the sanitizers to find',
    async () => {
      const { code, out, errors } = await run('fuzz.ts', ['--cases', '20000', '--seconds', '20']);
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(out).toMatch(/^seed \d+, kernels: portable.*\n\d+ cases, all right\n$/);
    },
    PATIENCE_MS,
  );

  test('without a compiler it says so and ends with 3', async () => {
    const { code, errors } = await run('fuzz.ts', [], { CC: '/nowhere/cc' });
    expect({ code, errors }).toEqual({
      code: 3,
      errors: 'No C compiler found: the fuzz needs gcc or clang\n',
    });
  });

  test.each([[['--cases', 'many']], [['--speed']]])('%j is refused with 2', async (args) => {
    expect(await run('fuzz.ts', args)).toMatchObject({ code: 2 });
  });
});
