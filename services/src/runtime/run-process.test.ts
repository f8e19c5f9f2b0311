import { describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Part } from './lifecycle.ts';
import { type ProcessHost, runProcess, type RunOptions } from './run-process.ts';
import { RecordingLogger } from './testing/recording-logger.ts';
import { runScript } from './testing/script.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'];
const EVENTS = [...SIGNALS, 'uncaughtException', 'unhandledRejection'];

/** A process that remembers how it was ended instead of ending. */
class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): never {
    this.exits.push(code);
    return undefined as never;
  }
}

function setup(part: Partial<Part> = {}, options: Partial<RunOptions> = {}) {
  const events: string[] = [];
  const host = new FakeProcess();
  const logger = new RecordingLogger();
  const whole: Part = {
    name: 'part',
    start: () => void events.push('start'),
    stop: () => void events.push('stop'),
    ...part,
  };
  const run = runProcess([whole], {
    logger,
    stopMs: 20,
    host: host as unknown as ProcessHost,
    ...options,
  });
  return { events, host, logger, run };
}

describe('runProcess', () => {
  test.each(SIGNALS)('stops in order on %s, returns 0 and no longer listens', async (signal) => {
    const { events, host, logger, run } = setup();
    host.emit(signal, signal);
    await expect(run).resolves.toBe(0);
    expect(events).toEqual(['start', 'stop']);
    expect(host.exits).toEqual([]);
    expect(logger.lines).toEqual(['info Stopping', 'info Stopped']);
    expect(EVENTS.map((event) => host.listenerCount(event))).toEqual([0, 0, 0, 0]);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('ends at once on a second signal, %s', async (signal, code) => {
    const stop = Promise.withResolvers<undefined>();
    const { host, run } = setup({ stop: () => stop.promise, stopMs: 60_000 });
    host.emit('SIGINT', 'SIGINT');
    host.emit(signal, signal);
    expect(host.exits).toEqual([code]);
    stop.resolve(undefined);
    await run;
  });

  test('returns 1 when something does not stop well', async () => {
    const { host, run } = setup({ stop: () => Promise.reject(new Error('x')) });
    host.emit('SIGTERM', 'SIGTERM');
    await expect(run).resolves.toBe(1);
  });

  test('returns 1 and says why when something does not start', async () => {
    const { host, logger, run } = setup({ start: () => Promise.reject(new Error('no disk')) });
    await expect(run).resolves.toBe(1);
    expect(logger.records.at(-1)).toMatchObject({
      message: 'Could not start',
      fields: { error: Error('no disk') },
    });
    expect(host.listenerCount('SIGTERM')).toBe(0);
  });

  test('can be stopped while it starts', async () => {
    const start = Promise.withResolvers<undefined>();
    const { events, host, run } = setup({ start: () => start.promise });
    host.emit('SIGTERM', 'SIGTERM');
    start.resolve(undefined);
    await expect(run).resolves.toBe(0);
    expect(events).toEqual(['stop']);
  });

  test.each<[string, unknown, number]>([
    ['without a reason', undefined, 0],
    ['because of a fault', new Error('engine broke'), 70],
  ])('stops when it is aborted %s', async (_case, reason, code) => {
    const controller = new AbortController();
    const { events, run } = setup({}, { abort: controller.signal });
    controller.abort(reason);
    await expect(run).resolves.toBe(code);
    expect(events).toEqual(['start', 'stop']);
  });

  test('stops when it was aborted before it began', async () => {
    const { run } = setup({}, { abort: AbortSignal.abort() });
    await expect(run).resolves.toBe(0);
  });

  test.each(['uncaughtException', 'unhandledRejection'])(
    'logs an %s and ends with 70 after its last words, however many more follow',
    async (event) => {
      const words = Promise.withResolvers<undefined>();
      const { host, logger, run } = setup({}, { lastWords: () => words.promise });
      host.emit(event, new Error('a bug'));
      host.emit(event, new Error('and another'));
      expect(host.exits).toEqual([]);
      words.resolve(undefined);
      await new Promise(setImmediate);
      expect(host.exits).toEqual([70]);
      expect(logger.records.filter(({ fields }) => fields['fatal'])).toHaveLength(2);
      host.emit('SIGTERM', 'SIGTERM');
      await run;
    },
  );
});

describe('a real process', () => {
  const prelude = `
    import { runProcess } from './run-process.ts';
    import { createLogger } from './logger.ts';
    const logger = createLogger({ service: 'test', level: 'info', format: 'json', stream: 'stdout' });
    const part = (own) => ({ name: 'part', start() {}, stop() {}, ...own });
    const alive = setInterval(() => {}, 1000);
  `;
  const run = (source: string) => runScript(import.meta.url, `${prelude}\n${source}`);

  test.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and exits 0', async (signal) => {
    const script = run(`
      const stop = () => { clearInterval(alive); console.log('drained'); };
      process.exitCode = await runProcess([part({ start: () => console.log('up'), stop })], { logger });
    `);
    await script.line('up');
    script.child.kill(signal);
    await expect(script.ended).resolves.toEqual({ code: 0, stderr: '' });
    expect(script.lines).toContain('drained');
  });

  test('exits 70 on an unhandled rejection and writes the stack', async () => {
    const script = run(`
      setImmediate(() => { Promise.reject(new Error('nobody caught this')); });
      process.exitCode = await runProcess([part()], { logger });
    `);
    await expect(script.ended).resolves.toEqual({ code: 70, stderr: '' });
    const line: unknown = JSON.parse(await script.line('Unhandled rejection'));
    expect(line).toMatchObject({
      level: 'error',
      fatal: true,
      error: { message: 'nobody caught this', stack: expect.stringContaining('at ') },
    });
  });

  test('exits at once on a second signal though a part hangs', async () => {
    const script = run(`
      const stop = () => { console.log('hanging'); return new Promise(() => {}); };
      process.exitCode = await runProcess([part({ start: () => console.log('up'), stop, stopMs: 1e8 })], { logger });
    `);
    await script.line('up');
    script.child.kill('SIGTERM');
    await script.line('hanging');
    script.child.kill('SIGTERM');
    expect((await script.ended).code).toBe(143);
  });
});
