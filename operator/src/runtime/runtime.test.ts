import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import { AdminServer, type Checks } from './admin-server.ts';
import { type EnvReader, readSettings } from './env-reader.ts';
import { Lifecycle, type Part } from './lifecycle.ts';
import { createLogger } from './logger.ts';
import { startTelemetry } from './telemetry.ts';
import { RecordingLogger } from './testing/recording-logger.ts';
import { Ticker } from './ticker.ts';

describe('the logger', () => {
  function setup(level: 'info' | 'debug' = 'info') {
    const lines: string[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString().trimEnd());
        done();
      },
    });
    const clock = { now: () => 0, monotonic: () => 0 };
    return { lines, stream, logger: createLogger({ level, service: 'operator', stream, clock }) };
  }

  test('writes one JSON object per line, with the fields of its children', () => {
    const { logger, lines } = setup();
    logger.child({ cluster: 'a/b' }).info('Scaled', { replicas: 3, message: 'own' });
    logger.debug('not now');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ timestamp: '1970-01-01T00:00:00.000Z', level: 'info', message: 'Scaled', service: 'operator' },
        ...{ cluster: 'a/b', replicas: 3, 'fields.message': 'own' },
      },
    ]);
  });

  test('writes errors with their causes, and what is circular or large, within bounds', () => {
    const { logger, lines } = setup();
    const circular: Record<string, unknown> = { secret: Buffer.from('xyz') };
    circular['self'] = circular;
    const error = new Error('outer', { cause: new TypeError('inner') });
    logger.error('Failed', { error, circular, long: 'x'.repeat(100_000), many: new Array(1_000).fill(1) });
    const line = lines[0]!;
    expect(JSON.parse(line)).toMatchObject({
      error: { name: 'Error', message: 'outer', cause: { name: 'TypeError', message: 'inner' } },
      circular: { secret: '3 bytes' },
    });
    expect(line.length).toBeLessThan(20_000);
  });

  test('survives a stream that fails', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const logger = createLogger({ level: 'info', service: 'x', stream });
    logger.info('one');
    await new Promise(setImmediate);
    logger.info('two');
  });
});

describe('the admin server', () => {
  async function setup(ready: Checks = {}, timeoutMs = 5_000) {
    const logger = new RecordingLogger();
    const clock = { ms: 0, now: () => 0, monotonic: () => clock.ms };
    const telemetry = startTelemetry(logger, '1', clock);
    telemetry.metrics.counter('hashcluster.operator.writes', { description: 'Writes' }).add(2, { verb: 'x' });
    const server = new AdminServer({
      ...{ host: '127.0.0.1', port: 0, live: {}, ready, logger, scrape: telemetry.scrape },
      info: () => ({ leader: 'me' }),
      timeoutMs,
    });
    const { port } = await server.start();
    const get = async (path: string, init: RequestInit = {}) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
      return [answer.status, await answer.text()] as const;
    };
    const stop = async (): Promise<void> => {
      await Promise.all([server.stop(), server.stop(), telemetry.stop(), telemetry.stop()]);
    };
    return { get, stop, port, clock, metrics: telemetry.metrics };
  }

  test('tells being alive from being ready, and shows metrics', async () => {
    const { get, stop } = await setup({ watches: () => 'not synced' });
    expect(await get('/livez')).toEqual([200, '{"status":"ok","checks":{}}\n']);
    expect(await get('/readyz')).toEqual([503, '{"status":"trouble","checks":{"watches":"not synced"}}\n']);
    expect((await get('/healthz'))[1]).toContain('"info":{"leader":"me"}');
    const [, metrics] = await get('/metrics');
    expect(metrics).toContain('hashcluster_operator_writes_total{verb="x"} 2');
    expect(metrics).toContain('hashcluster_process_memory_rss');
    expect((await get('/else'))[0]).toBe(404);
    expect((await get('/livez', { method: 'POST' }))[0]).toBe(405);
    await stop();
    await expect(get('/livez')).rejects.toThrow();
  });

  /** A connection that sends something, and is asked nothing more. */
  function connected(
    port: number,
    text = '',
  ): { readonly socket: Socket; readonly closed: Promise<unknown> } {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    // An answer that nobody reads, such as 408, would keep the connection open.
    socket.resume();
    const closed = once(socket, 'close');
    if (text !== '') socket.write(text);
    return { socket, closed };
  }

  test('has room for probes while somebody holds all connections', async () => {
    const { port, get, stop } = await setup();
    const idle = Array.from({ length: 64 }, () => connected(port));
    await Promise.all(idle.map(({ socket }) => once(socket, 'connect')));
    for (let i = 0; i < 3; i++) expect((await get('/readyz'))[0]).toBe(200);
    for (const { socket } of idle) socket.destroy();
    await stop();
  });

  test('cuts clients off that say nothing, or do not end what they say', async () => {
    const { port, stop } = await setup({}, 200);
    const clients = [connected(port), connected(port, 'GET /livez HTTP/1.1\r\nX: ')];
    await Promise.all(clients.map(({ closed }) => closed));
    await stop();
  });

  test('answers some of very many pipelined scrapes, with one reading', async () => {
    const { port, metrics, clock, get, stop } = await setup({}, 500);
    let readings = 0;
    metrics.gauge('hashcluster.readings', { description: 'Readings' }, () => [{ value: ++readings }]);
    const { socket, closed } = connected(port, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await closed;
    expect([text.match(/HTTP\/1.1 200/g)?.length, readings]).toEqual([100, 1]);
    clock.ms += 1_000;
    await get('/metrics');
    expect(readings).toBe(2);
    await stop();
  });
});

describe('a lifecycle', () => {
  const setup = () => {
    const events: string[] = [];
    const part = (name: string, own: Partial<Part> = {}): Part => ({
      name,
      start: () => void events.push(`start ${name}`),
      stop: () => void events.push(`stop ${name}`),
      ...own,
    });
    const logger = new RecordingLogger();
    return { events, part, logger, lifecycle: new Lifecycle(logger, 20) };
  };

  test('starts in order and stops in reverse, once', async () => {
    const { events, part, lifecycle } = setup();
    await lifecycle.start([part('a'), part('b')]);
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('stops what was begun when a part fails to start', async () => {
    const { events, part, lifecycle } = setup();
    const broken = part('broken', { start: () => Promise.reject(new Error('no port')) });
    await expect(lifecycle.start([part('a'), broken, part('c')])).rejects.toThrow('no port');
    expect(events).toEqual(['start a', 'stop broken', 'stop a']);
  });

  test.each<[string, Partial<Part>]>([
    ['hangs', { stop: () => Promise.withResolvers<never>().promise }],
    ['fails', { stop: () => Promise.reject(new Error('x')) }],
  ])('goes on when a part %s on stop, and says so', async (_case, own) => {
    const { events, part, logger, lifecycle } = setup();
    await lifecycle.start([part('a'), part('bad', own)]);
    await expect(lifecycle.stop()).resolves.toBe(false);
    expect(events).toEqual(['start a', 'start bad', 'stop a']);
    expect(logger.lines).toEqual(['error A part did not stop well']);
  });
});

test('a ticker runs again after failures, never twice at once, and aborts its run when it stops', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const hanging = Promise.withResolvers<AbortSignal>();
  const ticker = new Ticker({
    everyMs: 1,
    run: (signal) => {
      if (++runs < 3) return Promise.reject(new Error(`run ${runs}`));
      hanging.resolve(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    },
    onError: (error) => errors.push(error),
  });
  ticker.start();
  ticker.start();
  await hanging.promise;
  await Promise.all([ticker.stop(), ticker.stop()]);
  expect([runs, errors.length]).toEqual([3, 2]);
});

test('settings are read strictly, and all that is wrong is said at once', () => {
  const read = (reader: EnvReader) => ({
    port: reader.integer('PORT', { default: 1, min: 0, max: 10 }),
    level: reader.choice('LEVEL', { default: 'info', of: ['info', 'debug'] }),
    image: reader.text('IMAGE', { default: null, pattern: /^\S+$/, expected: 'an image' }),
    name: reader.required('NAME', { pattern: /^a/, expected: 'a name' }),
  });
  expect(readSettings({ PORT: '2', LEVEL: 'Debug', NAME: 'ab', IMAGE: '' }, read)).toEqual({
    ...{ port: 2, level: 'debug', image: null, name: 'ab' },
  });
  expect(() => readSettings({ PORT: '11', LEVEL: 'x', IMAGE: 'a b' }, read)).toThrow(
    [
      'PORT: expected an integer from 0 to 10, got "11"',
      'LEVEL: expected one of info, debug, got "x"',
      'IMAGE: expected an image, got "a b"',
      'NAME: is needed: a name',
    ].join('\n'),
  );
});
