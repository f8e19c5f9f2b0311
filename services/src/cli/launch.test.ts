import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CliError, EXIT } from './exit-codes.ts';
import { isLoopback } from '../runtime/loopback.ts';
import { runCli } from './program.ts';
import { doneJob, jobBody, sendEvents, sendJson, startFakeService } from './testing/fake-service.ts';
import type { Answerer, FakeService } from './testing/fake-service.ts';
import { testHost, type TestHost } from './testing/host.ts';
import type { EmbeddedOptions, StartEmbedded } from '../roles/running.ts';

const MILLION = { iterations: 1_000_000, digest: 'ab'.repeat(64) };

let directory = '';
let services: FakeService[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hashcluster-start-'));
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  services = [];
  await rm(directory, { recursive: true });
});

interface Embedded {
  readonly start: StartEmbedded;
  readonly options: EmbeddedOptions[];
  stops: number;
}

/** A service that answers as told instead of the real one, on the port that it is given. */
function embedded(answer: Answerer): Embedded {
  const state: Embedded = {
    options: [],
    stops: 0,
    start: async (options) => {
      state.options.push(options);
      const service = await startFakeService(answer, options.port);
      services.push(service);
      const stop = async (): Promise<void> => {
        state.stops++;
        await service.stop();
      };
      return { url: service.url, adminUrl: 'http://127.0.0.1:9090', stop, backend: 'avx2', engines: 2 };
    },
  };
  return state;
}

/** Answers as a service does that comes to the README's digest, or knows it already. */
const ready =
  (known: boolean): Answerer =>
  ({ url }, response) => {
    if (url.startsWith('/enqueue'))
      sendJson(response, known ? 200 : 202, known ? doneJob(MILLION) : jobBody(MILLION));
    else
      sendEvents(response, [
        jobBody({ ...MILLION, digest: null, state: 'running', position: 9 }),
        doneJob(MILLION),
      ]);
  };

/** Interrupts the command once its standard output or error says `text`. */
async function interruptAt(host: TestHost, text: string, running: Promise<number>): Promise<number> {
  const timer = setInterval(() => {
    if (!`${host.stdout.text}${host.stderr.text}`.includes(text)) return;
    clearInterval(timer);
    host.interruption.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
  }, 5);
  return running.finally(() => clearInterval(timer));
}

async function start(flags: string, env: Record<string, string> = {}, answer = ready(false)) {
  const service = embedded(answer);
  const host = testHost({ startEmbedded: service.start, env });
  const argv = [
    'start',
    '--data',
    join(directory, 'a', 'b'),
    '--port',
    '0',
    ...flags.split(' ').filter(Boolean),
  ];
  const code = await interruptAt(host, 'is ready at', runCli(argv, host));
  return { code, host, service };
}

describe('start', () => {
  test('says in one line where it is and what it hashes with, and drains when told to stop', async () => {
    const { code, host, service } = await start('--log-format pretty');
    const url = services[0]!.url;
    const data = join(directory, 'a', 'b');
    expect(host.stdout.text).toBe(
      `HashCluster is ready at ${url} (avx2 on 2 engines; data in ${data}; probes and metrics at http://127.0.0.1:9090)\n`,
    );
    expect(host.stderr.text).toContain('Draining');
    expect([code, service.stops]).toEqual([EXIT.ok, 1]);
  });

  test('makes the data directory, for its owner only', async () => {
    await start('');
    expect((await stat(join(directory, 'a', 'b'))).mode & 0o777).toBe(0o700);
  });

  test('in a pipe, logs are JSON, and so is the line', async () => {
    const { host, service } = await start('');
    expect(service.options[0]).toMatchObject({
      logFormat: 'json',
      logLevel: 'info',
      backend: null,
      engines: null,
    });
    expect(JSON.parse(host.stdout.text)).toMatchObject({
      level: 'info',
      url: services[0]!.url,
      backend: 'avx2',
      engines: 2,
    });
  });

  test('flags are stronger than the environment', async () => {
    const env = {
      LOG_LEVEL: 'error',
      LOG_FORMAT: 'json',
      HASH_BACKEND: 'node',
      LISTEN_PORT: '1',
      ADMIN_PORT: '0',
    };
    const { service } = await start('--log-format pretty --engines 3 --backend wasm', env);
    const { env: passed, ...options } = service.options[0]!;
    expect(options).toMatchObject({
      logFormat: 'pretty',
      logLevel: 'error',
      engines: 3,
      backend: 'wasm',
      host: '127.0.0.1',
      port: 0,
      adminPort: 0,
    });
    expect(passed).toMatchObject(env);
  });

  test.each([
    ['--host 0.0.0.0 --log-format pretty', 'Warning: 0.0.0.0 can be reached from other machines'],
    ['--admin-host :: --log-format pretty', 'Warning: :: can be reached from other machines'],
    ['--host 0.0.0.0', '"message":"0.0.0.0 can be reached from other machines'],
  ])('%s is warned of', async (flags, text) => {
    expect((await start(flags)).host.stderr.text).toContain(text);
  });

  test('on this machine only, there is nothing to warn of', async () => {
    expect((await start('--host localhost')).host.stderr.text).not.toContain('other machines');
  });

  test('asks nothing of its own API, which may be closed to this machine', async () => {
    const { code, host } = await start('', {}, (_seen, response) => sendJson(response, 403, {}));
    expect([code, services[0]!.seen]).toEqual([EXIT.ok, []]);
    expect(host.stdout.text).toContain('avx2');
  });

  test('a service that is told to stop while it starts stops, with exit code 0', async () => {
    const host = testHost({
      startEmbedded: (_options, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          host.interruption.abort(new CliError(EXIT.terminated, 'Ended by SIGTERM.'));
        }),
    });
    expect(await runCli(['start', '--data', directory], host)).toBe(EXIT.ok);
    expect(host.stderr.text).not.toContain('Cannot start');
  });

  test.each([
    [{ code: 'EADDRINUSE', port: 5000, address: '127.0.0.1' }, EXIT.unavailable, 'port 5000 of 127.0.0.1'],
    [{ code: 'EACCES', port: 80, address: '127.0.0.1' }, EXIT.unavailable, 'Not allowed'],
    [{ code: 'EADDRNOTAVAIL', address: '10.9.8.7' }, EXIT.usage, '10.9.8.7'],
    [{ code: 'ENOSPC' }, EXIT.unavailable, 'Cannot start: no luck'],
    [{}, EXIT.unavailable, 'Cannot start: no luck.'],
  ])('that fails with %p ends with %d', async (fields, exitCode, text) => {
    const host = testHost({
      startEmbedded: () => Promise.reject(Object.assign(new Error('no luck'), fields)),
    });
    expect(await runCli(['start', '--data', directory], host)).toBe(exitCode);
    expect(host.stderr.text).toContain(text);
  });

  test('that fails by a mistake in the program says where', async () => {
    const host = testHost({ startEmbedded: () => Promise.reject(new TypeError('x is not a function')) });
    expect(await runCli(['start', '--data', directory], host)).toBe(EXIT.internal);
    expect(host.stderr.text).toMatch(/A fault in this program: x is not a function\n {2}at /);
  });

  test('a wrong environment is told line by line', async () => {
    const host = testHost({
      env: { LOG_LEVEL: 'loud', LOG_FORMAT: 'xml', RATE_LIMIT_PER_ADDRESS: 'x', RESULT_RETENTION: '1s' },
    });
    expect(await runCli(['start', '--data', directory], host)).toBe(EXIT.usage);
    for (const name of ['LOG_LEVEL', 'LOG_FORMAT', 'RATE_LIMIT_PER_ADDRESS', 'RESULT_RETENTION'])
      expect(host.stderr.text.split(`${name}: `)).toHaveLength(2);
  });

  test('a data directory that cannot be is told', async () => {
    await writeFile(join(directory, 'file'), '');
    const host = testHost();
    expect(await runCli(['start', '--data', join(directory, 'file', 'x')], host)).toBe(EXIT.unavailable);
    expect(host.stderr.text).toContain('Cannot use');
  });
});

describe('demo', () => {
  const flags = ['--data', '', '--port', '0', '--admin-port', '0'];

  async function demo(
    known: boolean,
    more: readonly string[],
  ): Promise<{ code: number; host: TestHost; service: Embedded }> {
    const service = embedded(ready(known));
    const host = testHost({ startEmbedded: service.start });
    const argv = ['demo', ...flags.map((flag) => flag || directory), ...more];
    const code = await interruptAt(host, 'stays up until', runCli(argv, host));
    return { code, host, service };
  }

  test('shows the job, its digest, how to check it and what to try next, and stays', async () => {
    const { code, host, service } = await demo(false, []);
    expect(host.stdout.text).toContain(MILLION.digest);
    expect(host.stdout.text).toContain('python3 -c');
    expect(host.stderr.text).toMatch(/ready at[^]*Submitting[^]*running[^]*Try next[^]*Draining/);
    expect(service.options[0]).toMatchObject({ logLevel: 'warn' });
    expect([code, service.stops]).toEqual([EXIT.ok, 1]);
  });

  test('with --exit stops after the result', async () => {
    const { code, host, service } = await demo(false, ['--exit']);
    expect(host.stderr.text).not.toContain('stays up');
    expect([code, service.stops]).toEqual([EXIT.ok, 1]);
  });

  test('says when the answer comes from the cache', async () => {
    expect((await demo(true, ['--exit'])).host.stdout.text).toContain('Answered from the cache');
  });

  test('takes another port when something else listens on its own', async () => {
    const stranger = await startFakeService((_seen, response) => response.writeHead(404).end('not me'));
    services.push(stranger);
    const taken = new URL(stranger.url).port;
    const { code, host, service } = await demo(false, ['--exit', '--port', taken]);
    expect(code).toBe(EXIT.ok);
    expect(host.stderr.text).toContain(`Something else listens on port ${taken}; the demo takes a free one.`);
    expect(service.options[0]!.port).toBe(0);
  });

  test('uses a HashCluster that runs already, and leaves it running', async () => {
    const cluster = { version: '1', workers: {}, backlog: { queued: [] }, limits: {} };
    const answers = ready(false);
    const neighbour = await startFakeService((seen, response, index) =>
      seen.url === '/v1/cluster' ? sendJson(response, 200, cluster) : answers(seen, response, index),
    );
    services.push(neighbour);
    const { code, host, service } = await demo(false, ['--port', new URL(neighbour.url).port]);
    expect(code).toBe(EXIT.ok);
    expect(host.stderr.text).not.toContain('stays up until');
    expect(host.stderr.text).toContain(`A HashCluster answers at ${neighbour.url} already`);
    expect(host.stdout.text).toContain(MILLION.digest);
    expect(service.options).toEqual([]);
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['localhost', true],
  ['::1', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.2', false],
  ['127.0.0.1.example.org', false],
  ['example.org', false],
])('%s reaches this machine only: %p', (host, loopback) => expect(isLoopback(host)).toBe(loopback));
