import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import { connectionsWithin, openFileLimit, withinFileLimit } from './file-limit.ts';

describe('the limit of open files', () => {
  test.each([
    [10_000, null, 10_000],
    [10_000, 1_048_576, 10_000],
    [10_000, 1_024, 896],
    [10_000, 64, 32],
    [10_000, 1, 1],
    [16, 64, 16],
  ])('of %d connections with a limit of %p there are %d', (wanted, limit, expected) => {
    expect(connectionsWithin(wanted, limit)).toBe(expected);
  });

  test.each([
    [
      'Max processes  5  5  processes\nMax open files            1024                 4096                 files\n',
      1_024,
    ],
    ['Max open files            unlimited            unlimited            files\n', null],
    ['nothing of the kind', null],
  ])('is read from %p as %p', (text, expected) => {
    const folder = mkdtempSync(join(tmpdir(), 'hashcluster-limits-'));
    writeFileSync(join(folder, 'limits'), text);
    expect(openFileLimit(join(folder, 'limits'))).toBe(expected);
    rmSync(folder, { recursive: true });
  });

  test('is unknown where the system does not say', () => {
    expect(openFileLimit('/nonexistent/limits')).toBeNull();
  });

  test('below MAX_CONNECTIONS lowers it, with a warning that names both', () => {
    const logger = new RecordingLogger();
    const settings = withinFileLimit({ maxConnections: 10_000, port: 1 }, logger, 64);
    expect(settings).toEqual({ maxConnections: 32, port: 1 });
    expect(logger.records).toMatchObject([
      { level: 'warn', message: expect.stringContaining('RLIMIT_NOFILE'), fields: { openFiles: 64 } },
    ]);
  });

  test('above it changes and says nothing', () => {
    const logger = new RecordingLogger();
    const settings = { maxConnections: 10 };
    expect(withinFileLimit(settings, logger, 1_024)).toBe(settings);
    expect(logger.lines).toEqual([]);
  });
});
