import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEmbedded } from './embedded.ts';
import type { EmbeddedService } from './running.ts';

const LIMIT_MS = 120_000;
/** For as long as this, in milliseconds, the probes are asked again and again: longer than a lease. */
const WATCH_MS = 12_000;

/** A small file system of its own, or null where none can be mounted. */
function mounted(): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'hashcluster-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', directory], { stdio: 'ignore' });
    return directory;
  } catch {
    rmSync(directory, { recursive: true });
    return null;
  }
}

const directory = mounted();
const suite = directory === null ? describe.skip : describe;
const needs = directory === null ? ' (needs the right to mount)' : '';

suite(`a full data directory${needs}`, () => {
  const dataDir = directory ?? '';
  const ballast = join(dataDir, 'ballast');
  let service: EmbeddedService;
  let known: string;

  const start = async (): Promise<void> => {
    service = await startEmbedded(
      {
        ...{ host: '127.0.0.1', port: 0, adminHost: '127.0.0.1', adminPort: 0, dataDir },
        ...{ backend: 'node', engines: 1, logFormat: 'json', logLevel: 'error', version: '0' },
        env: { STORE_RETRY: '1s', DRAIN_TIMEOUT: '1s' },
      },
      new AbortController().signal,
    );
  };
  const status = async (url: string): Promise<number> => {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status;
  };
  const submit = async (data: string, iterations: number): Promise<Response> =>
    fetch(`${service.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ data, iterations }),
    });
  const probes = async () => ({
    live: await status(`${service.adminUrl}/livez`),
    ready: await status(`${service.adminUrl}/readyz`),
    read: await status(`${service.url}/v1/jobs/${known}`),
    list: await status(`${service.url}/v1/jobs?state=done`),
  });
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await sleep(50);
  };
  /** Live, not ready, and read from, every time. */
  const expectReadOnly = async (): Promise<void> => {
    const end = performance.now() + WATCH_MS;
    while (performance.now() < end) {
      expect(await probes()).toEqual({ live: 200, ready: 503, read: 200, list: 200 });
      await sleep(100);
    }
  };
  const fill = (): void => {
    for (let bytes = 1 << 20; bytes >= 1; bytes = Math.floor(bytes / 4)) {
      try {
        for (;;) writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' });
      } catch {
        // No space is left for so much.
      }
    }
  };

  beforeAll(start, LIMIT_MS);
  afterAll(async () => {
    await service.stop();
    execFileSync('umount', [dataDir]);
    rmSync(dataDir, { recursive: true });
  }, LIMIT_MS);

  test(
    'leaves the service live, not ready, and read from',
    async () => {
      const response = await submit('known', 100);
      known = ((await response.json()) as { id: string }).id;
      expect(await probes()).toEqual({ live: 200, ready: 200, read: 200, list: 200 });
      fill();
      for (let number = 0; (await status(`${service.adminUrl}/readyz`)) === 200; number++) {
        const jobs = Array.from({ length: 200 }, (_, at) => ({ data: `${number} ${at}`, iterations: 5 }));
        const answer = await fetch(`${service.url}/v1/jobs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(jobs),
        });
        await answer.arrayBuffer();
      }
      await expectReadOnly();
      expect((await submit('new', 5)).status).toBe(503);
    },
    LIMIT_MS,
  );

  test(
    'leaves it so after a restart',
    async () => {
      await service.stop();
      await start();
      await until(async () => (await status(`${service.adminUrl}/readyz`)) === 503);
      await expectReadOnly();
    },
    LIMIT_MS,
  );

  test(
    'is over when there is space again: it is ready, and takes jobs',
    async () => {
      rmSync(ballast);
      await until(async () => (await status(`${service.adminUrl}/readyz`)) === 200);
      await until(async () => (await submit('new', 3_000_000)).ok);
      expect(await probes()).toEqual({ live: 200, ready: 200, read: 200, list: 200 });
    },
    LIMIT_MS,
  );
});
