import { describe, expect, test } from '@jest/globals';
import SlowestFiles from './slowest-files.js';

const ran = (...seconds: readonly number[]) => ({
  testResults: seconds.map((runtime) => ({
    testFilePath: `${process.cwd()}/e2e/takes-${runtime}.test.ts`,
    perfStats: { runtime: runtime * 1_000 },
  })),
});

function printed(seconds: readonly number[]): string[] {
  const lines: string[] = [];
  new SlowestFiles({}, { shown: 2, print: (line) => lines.push(line) }).onRunComplete([], ran(...seconds));
  return lines.map((line) => line.trim());
}

describe('the slowest files of a test run', () => {
  test('are printed slowest first, and no more than are asked for', () => {
    expect(printed([1, 30, 2])).toEqual([
      'Slowest files, in seconds:',
      '30.0  e2e/takes-30.test.ts',
      '2.0  e2e/takes-2.test.ts',
    ]);
  });

  test('are not printed for a single file', () => {
    expect(printed([7])).toEqual([]);
  });
});
