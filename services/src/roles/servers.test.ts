import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreUnavailableError, type JobStore } from '../ports/job-store.ts';
import { noopMetrics } from '../runtime/noop-telemetry.ts';
import { RecordingLogger } from '../runtime/testing/recording-logger.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import { openBus, storePart } from './servers.ts';
import { kafkaSettings } from './server-settings.ts';
import { readSettings } from '../runtime/settings.ts';

/** A store of which only the start matters. */
function storeThat(start: () => Promise<void>): JobStore {
  return { start, stop: () => Promise.resolve() } as unknown as JobStore;
}

describe('the store of a role', () => {
  test('is asked again until it is there, and the log says why it is not', async () => {
    const logger = new RecordingLogger();
    let failures = 2;
    const store = storeThat(() =>
      failures-- > 0 ? Promise.reject(new StoreUnavailableError('no primary')) : Promise.resolve(),
    );
    await storePart(store, { logger, signal: new AbortController().signal }).start();
    expect(failures).toBe(-1);
    // The first attempt, and then each tenth.
    expect(logger.records.map(({ level, fields }) => [level, fields['attempts']])).toEqual([['warn', 1]]);
  });

  test('is not waited for any longer when the process is told to stop, also in the middle of an attempt', async () => {
    const abort = new AbortController();
    const store = storeThat(() => new Promise(() => undefined));
    const starting = storePart(store, { logger: new RecordingLogger(), signal: abort.signal }).start();
    abort.abort(new Error('told to stop'));
    await expect(starting).rejects.toThrow('told to stop');
  });
});

describe('the bus of a role', () => {
  const telemetry = { logger: new RecordingLogger(), metrics: noopMetrics } as unknown as Telemetry;
  const settings = (caFile: string) =>
    readSettings({ KAFKA_BROKERS: '127.0.0.1:1', KAFKA_TLS_CA_FILE: caFile }, (read) =>
      kafkaSettings(read, 'me'),
    );

  test('cannot be had without the certificates that it is to trust', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hashcluster-ca-'));
    const file = join(dir, 'ca.pem');
    await expect(openBus(settings(file), telemetry, {})).rejects.toThrow('ENOENT');
    await writeFile(file, '');
    await expect(openBus(settings(file), telemetry, {})).resolves.toBeDefined();
    await rm(dir, { recursive: true });
  });
});
