import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { iterate } from './chaos/jobs.ts';
import { positionsOnDisk } from './chaos/snapshot.ts';
import { Client, until } from './lib/client.ts';
import { BIN, startService, type Service } from './lib/service.ts';

const LIMIT_MS = 30_000;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a user would, in a pipe. */
function hashcluster(server: string, ...args: string[]): Promise<Outcome> {
  const env = { ...process.env, NODE_OPTIONS: '', HASHCLUSTER_SERVER: server };
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args], { env, timeout: LIMIT_MS }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const digestOf = (data: string, iterations: number): string => iterate(hash('sha512', data), iterations - 1);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hashcluster-e2e-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the service on one machine', () => {
  test('goes on where it was after a drain', async () => {
    const dataDir = join(dir, 'drain');
    const first = await startService({ dataDir });
    const { id } = await new Client(first.url).submit({ data: 'a long way', iterations: 1e15 });
    await until('some progress', LIMIT_MS, async () => (await new Client(first.url).get(id)).position > 1e6);
    const { position } = await new Client(first.url).get(id);
    expect(await first.stop()).toBe(0);
    expect((await positionsOnDisk(dataDir)).get(id)).toBeGreaterThanOrEqual(position);

    const second = await startService({ dataDir });
    try {
      const client = new Client(second.url);
      await until('more progress', LIMIT_MS, async () => (await client.get(id)).position > position + 1e6);
      expect((await client.cancel(id)).state).toBe('cancelled');
    } finally {
      await second.stop();
    }
  });

  test('does not share its data with a second process, and says so', async () => {
    const dataDir = join(dir, 'alone');
    const first = await startService({ dataDir });
    try {
      await expect(startService({ dataDir })).rejects.toThrow(/in use by another/);
      const job = await new Client(first.url).submit({ data: 'still there', iterations: 5_000 }, 30);
      expect(job).toMatchObject({ state: 'done', digest: digestOf('still there', 5_000) });
    } finally {
      await first.stop();
    }
  });
});

describe('the command line, with a real service', () => {
  let service: Service;
  let file: string;
  beforeAll(async () => {
    service = await startService({ dataDir: join(dir, 'cli') });
    file = join(dir, 'input');
    await writeFile(file, 'from a file');
  }, 60_000);
  afterAll(() => service.stop());

  const run = (...args: string[]): Promise<Outcome> => hashcluster(service.url, ...args);
  const submit = async (...args: string[]): Promise<{ id: string; digest: string | null }> => {
    const { code, stdout, stderr } = await run('submit', file, ...args, '--output', 'json');
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as { id: string; digest: string | null };
  };

  test('submits a file, waits, and prints the digest that node:crypto gives', async () => {
    const { id, digest } = await submit('--iterations', '20k', '--wait');
    expect(digest).toBe(digestOf('from a file', 20_000));
    const result = await run('result', id);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain(digest);
  });

  test('verifies a result by computing it again', async () => {
    const { id } = await submit('--iterations', '30000', '--wait');
    expect(await run('verify', id)).toMatchObject({ code: 0 });
  });

  test('watches a job to its end', async () => {
    const { id } = await submit('--iterations', '3M');
    const watched = await run('watch', id);
    expect(watched.code).toBe(0);
    expect((await run('status', id)).stdout).toContain('done');
  });

  test('cancels a job, which then is not waited for in vain', async () => {
    const { id } = await submit('--iterations', '1e15');
    expect(await run('cancel', id)).toMatchObject({ code: 0 });
    expect((await run('status', id)).stdout).toContain('cancelled');
    expect((await run('result', id)).code).toBe(1);
  });

  test('lists what there is', async () => {
    const { id } = await submit('--iterations', '123', '--wait');
    const { code, stdout } = await run('list', '--state', 'done');
    expect(code).toBe(0);
    expect(stdout).toContain(id);
  });

  test.each([
    ['a job that nobody knows', ['status', '0'.repeat(26)], 3],
    ['iterations that make no sense', ['submit', 'FILE', '--iterations', '-5'], 2],
    ['a file that is not there', ['submit', '/no/such/file', '--iterations', '5'], 2],
  ])('has an exit code for %s', async (_, args, code) => {
    const outcome = await run(...args.map((arg) => (arg === 'FILE' ? file : arg)));
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).not.toBe('');
  });

  test('says so when no service is there', async () => {
    expect(await hashcluster('http://127.0.0.1:1', 'list', '--timeout', '1s')).toMatchObject({ code: 69 });
  });
});
