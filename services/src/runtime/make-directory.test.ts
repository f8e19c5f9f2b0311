import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeDirectory } from './make-directory.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'hashcluster-directory-'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('makeDirectory', () => {
  test('makes what is missing, with the mode, and leaves what is there', () => {
    const path = join(root, 'a', 'b', 'c');
    makeDirectory(path, 0o700);
    makeDirectory(path, 0o700);
    for (const each of [path, join(root, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700);
  });

  test('says what the system says of a file in the way', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => makeDirectory(join(root, 'file', 'x', 'y'))).toThrow('ENOTDIR');
  });

  const withProc = existsSync('/proc/self') ? test : test.skip;
  withProc.each([['/proc/x'], ['/proc/x/y/z']])('%s is an error at once (needs /proc)', (path) => {
    expect(() => makeDirectory(path)).toThrow('ENOENT');
  });
});
