import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from './exit-codes.ts';

const BIN = fileURLToPath(new URL('../../bin/hashcluster.js', import.meta.url));

const HEAP_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=100'];

let directory = '';
let bin = '';

/** The shim in a package of its own, without the rest. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hashcluster-bin-'));
  bin = join(directory, 'bin', 'hashcluster.js');
  await mkdir(dirname(bin));
  await copyFile(BIN, bin);
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(directory, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: {} }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), text);
}

describe('the shim', () => {
  test('on a Node.js without node:sqlite says in one sentence what is needed', async () => {
    const { code, stdout, stderr } = await run('--no-experimental-sqlite', bin);
    expect([code, stdout]).toEqual([EXIT.unavailable, '']);
    expect(stderr).toMatch(/^hashcluster needs Node\.js 22\.13 or newer .*npx hashcluster.*\n$/);
  });

  test('prefers what is built, runs the source otherwise, and says how to build when it has neither', async () => {
    expect(await run(bin)).toEqual({
      code: EXIT.unavailable,
      stdout: '',
      stderr: 'hashcluster is not built. Run: npm run build\n',
    });
    await put('src/cli/main.ts', 'const where: string = "source";\nconsole.log(where);\n');
    expect((await run(bin)).stdout).toBe('source\n');
    expect((await run('--no-experimental-strip-types', bin)).stderr).toContain('npm run build');
    await put('dist/cli/main.js', 'console.log("built");\n');
    expect((await run(bin)).stdout).toBe('built\n');
  });

  test.each([
    [[], ['start', '--port', '0'], HEAP_FLAGS],
    [['--no-warnings'], ['demo'], [...HEAP_FLAGS, '--no-warnings']],
    [['--max-semi-space-size=32'], ['start'], ['--max-semi-space-size=32']],
    [[], ['status', 'start'], []],
  ])('given %j, runs %j with the flags %j', async (given, args, flags) => {
    await put(
      'dist/cli/main.js',
      'console.log(JSON.stringify([process.execArgv, process.argv.slice(2)]));\n',
    );
    expect(JSON.parse((await run(...given, bin, ...args)).stdout)).toEqual([flags, args]);
  });
});
