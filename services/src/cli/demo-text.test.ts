import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { nextText, pythonCheck, resultText, shellWord, shownPath } from './demo-text.ts';
import { digestOf, doneJob } from './testing/fake-service.ts';

const run = promisify(execFile);
const python = spawnSync('python3', ['--version']).status === 0;

test.each([
  ['README.md', 'README.md'],
  ['/a b/c', "'/a b/c'"],
  ["it's", "'it'\\''s'"],
  ['$HOME', "'$HOME'"],
  ['', "''"],
])('%p is written %s in a shell', (text, word) => expect(shellWord(text)).toBe(word));

test.each([
  ['/repo/README.md', '/repo', 'README.md'],
  ['/repo/README.md', '/repo/services', '/repo/README.md'],
  ['/repo/docs/a.md', '/repo', 'docs/a.md'],
])('%s is shown in %s as %s', (path, cwd, shown) => expect(shownPath(path, cwd)).toBe(shown));

(python ? test : test.skip)(
  'the check with Python comes to our digest, whatever the file is called (needs python3)',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hashcluster-demo-'));
    try {
      const path = join(directory, "it's $HOME.md");
      await writeFile(path, 'hello');
      const { stdout } = await run('/bin/sh', ['-c', pythonCheck(path, 1_000)]);
      expect(stdout.trim()).toBe(digestOf('hello', 1_000));
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);

describe('the demo says', () => {
  const result = {
    job: doneJob(),
    known: false,
    path: 'README.md',
    url: 'http://127.0.0.1:5000',
    usual: true,
  };

  test('how the digest came about, or that it was known', () => {
    expect(resultText(result)).toMatch(/^Computed 3 iterations/);
    expect(resultText({ ...result, known: true })).toMatch(/^Answered from the cache/);
    expect(resultText(result)).toContain(doneJob().digest!);
  });

  test('commands that find the service, wherever it is', () => {
    expect(nextText(result)).not.toContain('--server');
    const elsewhere = nextText({ ...result, url: 'http://127.0.0.1:4711', usual: false });
    expect(elsewhere.match(/npx hashcluster .* --server http:\/\/127\.0\.0\.1:4711$/gm)).toHaveLength(4);
    expect(elsewhere).toContain("'http://127.0.0.1:4711/enqueue?iterations=1000000'");
  });
});
