import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { minifyFolder } from './minify.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashcluster-minify-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function minified(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  await minifyFolder(folder);
  return readFile(join(folder, name), 'utf8');
}

describe('programs of packages', () => {
  test.each<[string, string, string]>([
    ['a.js', '// why\nconst one = 1;\n\nmodule.exports = { one };\n', 'const one=1;module.exports={one};'],
    ['a.mjs', 'export  const  two = 2; /* of all */', 'export const two=2;'],
    ['a.cjs', '"use strict"\nreturn_ = 3 + 4\n', '"use strict";return_=3+4;'],
    ['b.js', '/*! © 2026 */\nlet unused  =  "ü";\n', '/*! © 2026 */let unused="\\xfc";'],
    ['c.js', 'a=1', 'a=1'],
    ['a.json', '{ "a":  1 }', '{ "a":  1 }'],
  ])('%s', async (name, text, expected) => {
    expect((await minified(name, text)).trim()).toBe(expected);
  });

  test('do what they did', async () => {
    await mkdir(join(folder, 'node_modules', 'a'), { recursive: true });
    const text = `class Long { #name = 'ü — ✓'; get  name() { return this.#name; } }
      exports.say = function say() { return \`\${new Long().name} of \${say.name} \${Long.name}\`; }; // out`;
    await writeFile(join(folder, 'node_modules', 'a', 'index.js'), text);
    await writeFile(join(folder, 'main.mjs'), "import { say } from 'a';\n\nconsole.log(say());\n");
    const { files, before, after } = await minifyFolder(folder);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')]);
    expect([stdout, files, after < before]).toEqual(['ü — ✓ of say Long\n', 2, true]);
  });

  test('that are none stay as they are, and are named', async () => {
    const text = 'type A = { a: 1 }; // no JavaScript';
    expect(await minified('flow.js', text)).toBe(text);
    const { left } = await minifyFolder(folder);
    expect(left).toEqual([expect.stringContaining('flow.js: ')]);
  });
});
