import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const REPORTER = new URL('./exit-reporter.js', import.meta.url).href;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A process that ends its tests as jest does, with this left to do. */
function run(left: string) {
  const program = `
    const { default: Reporter } = await import(${JSON.stringify(REPORTER)});
    ${left}
    new Reporter({}, { lingerMs: 50 }).onRunComplete();
  `;
  const options = { cwd: ROOT, encoding: 'utf8', timeout: 60_000 } as const;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], options);
}

describe('a test run that is over', () => {
  test('ends, and has failed, when a test has left something open', () => {
    const { status, stderr } = run('setInterval(() => undefined, 1_000);');
    expect([status, stderr]).toEqual([1, expect.stringMatching(/left open.*Timeout/)]);
  });

  test('ends by itself otherwise', () => {
    expect(run('')).toMatchObject({ status: 0, stderr: '' });
  });
});
