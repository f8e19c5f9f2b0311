import { describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError, EXIT } from './exit-codes.ts';
import { runCli } from './program.ts';
import { testHost, type TestHost, type TestHostOptions } from './testing/host.ts';

const ENV = { MONGODB_URI: 'mongodb://me:secret@db/?replicaSet=rs0', KAFKA_BROKERS: 'k:9092' };
const ADMIN = 'http://127.0.0.1:9';

interface Fake {
  readonly host: TestHost;
  readonly seen: unknown[];
  stops: number;
}

/** A process in which roles start at once and only say so. */
function fake(options: TestHostOptions = {}): Fake {
  const started = (settings: unknown, what: object) => {
    state.seen.push(settings);
    const stop = (): Promise<void> => Promise.resolve(void state.stops++);
    return Promise.resolve({ adminUrl: ADMIN, stop, ...what });
  };
  const host = testHost({
    env: ENV,
    startEndpoint: (settings) => started(settings, { url: 'http://127.0.0.1:8' }) as never,
    startWorker: (settings) =>
      started(settings, { url: null, worker: 'w-1', backend: 'avx2', engines: 2 }) as never,
    ...options,
  });
  const state: Fake = { host, seen: [], stops: 0 };
  return state;
}

/** Runs a role until it says that it is ready, then tells it to stop. */
async function runUntilReady(words: string, { host }: Fake): Promise<number> {
  const running = runCli(words.split(' '), host);
  const timer = setInterval(() => {
    if (host.stdout.text.includes('is ready'))
      host.interruption.abort(new CliError(EXIT.terminated, 'Told so.'));
  }, 5);
  return running.finally(() => clearInterval(timer));
}

describe('a role', () => {
  test.each([
    ['endpoint', { url: 'http://127.0.0.1:8', role: 'endpoint' }],
    ['worker', { url: null, role: 'worker', worker: 'w-1', backend: 'avx2', engines: 2 }],
  ])('%s says that it is ready in one line, drains when told to stop, and ends well', async (role, facts) => {
    const state = fake();
    expect(await runUntilReady(role, state)).toBe(EXIT.ok);
    expect(JSON.parse(state.host.stdout.text)).toMatchObject({ level: 'info', adminUrl: ADMIN, ...facts });
    expect(state.host.stdout.text + state.host.stderr.text).not.toContain('secret');
    expect(state.stops).toBe(1);
  });

  test('on a terminal says so for people', async () => {
    const state = fake({ terminal: true });
    await runUntilReady('worker', state);
    expect(state.host.stdout.text).toBe(
      `HashCluster's worker w-1 is ready (avx2 on 2 engines; database hashcluster; probes and metrics at ${ADMIN})\n`,
    );
    expect(state.host.stderr.text).toContain('Draining');
  });

  test('passes flags on', async () => {
    const state = fake();
    await runUntilReady('worker --engines 3 --backend wasm --admin-port 0 --log-level debug', state);
    expect(state.seen[0]).toMatchObject({
      hashing: { engines: 3, backend: 'wasm' },
      process: { adminPort: 0, log: { level: 'debug' }, version: '1.2.3' },
    });
  });

  test.each([
    ['endpoint', true],
    ['endpoint --host 127.0.0.1', false],
    ['worker', false],
  ])('%s: that others can reach it is warned of: %p', async (words, warned) => {
    const state = fake();
    await runUntilReady(words, state);
    expect(state.host.stderr.text.includes('can be reached from other machines')).toBe(warned);
  });

  test('with a wrong environment does not start, and says all that is wrong', async () => {
    const state = fake({ env: { KAFKA_BROKERS: 'nonsense', LOG_LEVEL: 'loud' } });
    expect(await runCli(['worker'], state.host)).toBe(EXIT.usage);
    for (const name of ['MONGODB_URI', 'KAFKA_BROKERS', 'LOG_LEVEL'])
      expect(state.host.stderr.text).toContain(`${name}: `);
    expect(state.seen).toEqual([]);
  });

  test('in a pod writes the reason for its end to the termination log', async () => {
    const state = fake({ env: { KAFKA_BROKERS: 'nonsense' } });
    const terminationLog = join(await mkdtemp(join(tmpdir(), 'role-')), 'log');
    const host = { ...state.host, settings: { ...state.host.settings, terminationLog } };
    expect(await runCli(['worker'], host)).toBe(EXIT.usage);
    expect(await readFile(terminationLog, 'utf8')).toMatch(/KAFKA_BROKERS: /);
    const unwritable = { ...host.settings, terminationLog: join(terminationLog, 'below-a-file') };
    expect(await runCli(['worker'], { ...host, settings: unwritable })).toBe(EXIT.usage);
    await rm(dirname(terminationLog), { recursive: true });
  });

  test('that is told to stop before it is ready ends well', async () => {
    const state = fake({
      startWorker: (_settings, signal) => {
        state.host.interruption.abort(new CliError(EXIT.terminated, 'Told so.'));
        return Promise.reject(signal.reason as Error);
      },
    });
    expect(await runCli(['worker'], state.host)).toBe(EXIT.ok);
  });

  test('that cannot have its port says which', async () => {
    const cause = Object.assign(new Error('in use'), { code: 'EADDRINUSE', port: 9090, address: '::' });
    const state = fake({
      startWorker: () => Promise.reject(new Error('The admin port cannot be had', { cause })),
    });
    expect(await runCli(['worker'], state.host)).toBe(EXIT.unavailable);
    expect(state.host.stderr.text).toContain('port 9090 of ::');
  });
});
