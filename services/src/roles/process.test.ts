import { describe, expect, test } from '@jest/globals';
import { closedPort } from '../cli/testing/fake-service.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { startProcess, type Assembly, type ProcessSettings } from './process.ts';

const SETTINGS: ProcessSettings = {
  ...{
    service: 'test',
    version: '1',
    instance: 'me',
    adminHost: '127.0.0.1',
    adminPort: 0,
    allowedHosts: [],
    colour: false,
  },
  log: { level: 'silent', format: 'json' },
  telemetry: {
    ...{ disabled: true, traces: false, logs: false },
    metrics: { otlp: false, protocol: 'http/json', intervalMs: 60_000, timeoutMs: 1_000 },
  },
};

/** Remembers what becomes of a part. */
function part(name: string, log: string[], start: () => Promise<void> = () => Promise.resolve()): Part {
  return {
    name,
    start: async () => {
      log.push(`start ${name}`);
      await start();
    },
    stop: () => void log.push(`stop ${name}`),
  };
}

const assembly = (...parts: Part[]): Assembly => ({ parts, ready: { thing: () => null } });

async function ready(adminUrl: string): Promise<number> {
  return (await fetch(`${adminUrl}/readyz`)).status;
}

describe('a process', () => {
  test('answers probes, starts its parts in order, and stops them in reverse', async () => {
    const log: string[] = [];
    const { signal } = new AbortController();
    const { adminUrl, stop } = await startProcess(SETTINGS, signal, () =>
      assembly(part('a', log), part('b', log)),
    );
    expect(await ready(adminUrl)).toBe(200);
    await stop();
    await stop();
    expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    await expect(ready(adminUrl)).rejects.toThrow();
  });

  test('is live but not ready while it waits for something', async () => {
    const statuses: number[] = [];
    const abort = new AbortController();
    const port = await closedPort();
    const waiting = part('store', [], async () => {
      for (const probe of ['livez', 'readyz'])
        statuses.push((await fetch(`http://127.0.0.1:${port}/${probe}`)).status);
    });
    const { stop } = await startProcess({ ...SETTINGS, adminPort: port }, abort.signal, () =>
      assembly(waiting),
    );
    await stop();
    expect(statuses).toEqual([200, 503]);
  });

  test('that is told to stop while it starts stops what has started, and no more starts', async () => {
    const log: string[] = [];
    const abort = new AbortController();
    const starting = startProcess(SETTINGS, abort.signal, ({ signal }) =>
      assembly(
        part('a', log, () => {
          const ended = Promise.withResolvers<void>();
          signal.addEventListener('abort', () => ended.reject(signal.reason as Error));
          abort.abort(new Error('enough'));
          return ended.promise;
        }),
        part('b', log),
      ),
    );
    await expect(starting).rejects.toThrow('enough');
    expect(log).toEqual(['start a', 'stop a']);
  });

  test('that cannot start says why, and leaves nothing behind', async () => {
    const log: string[] = [];
    const broken = part('b', log, () => Promise.reject(new Error('no luck')));
    const starting = startProcess(SETTINGS, new AbortController().signal, () =>
      assembly(part('a', log), broken),
    );
    await expect(starting).rejects.toThrow('no luck');
    expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });
});
