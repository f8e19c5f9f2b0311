import { describe, expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { createLogger, type LoggerOptions } from './logger.ts';
import { plainValue } from './log-values.ts';

const AT = Date.UTC(2026, 10, 23, 3, 22, 45, 355);

function setup(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(...chunk.toString().split('\n').slice(0, -1));
      done();
    },
  });
  const logger = createLogger({
    service: 'endpoint',
    level: 'info',
    format: 'json',
    stream,
    clock: { now: () => AT, monotonic: () => 0 },
    ...options,
  });
  const json = (): Record<string, unknown>[] =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, json };
}

describe('JSON lines', () => {
  test('have time, level, message and service first, then the fields', () => {
    const { logger, lines } = setup();
    logger.info('Job finished', { job: '0abc', iterations: 2 ** 53 - 1 });
    expect(lines).toEqual([
      '{"timestamp":"2026-11-23T03:22:45.355Z","level":"info","message":"Job finished","service":"endpoint",' +
        '"job":"0abc","iterations":9007199254740991}',
    ]);
  });

  test('have the fields of every parent; the nearest wins', () => {
    const { logger, json } = setup();
    logger.child({ worker: 'w1', job: 'a' }).child({ job: 'b' }).warn('Slow', { traceId: 't' });
    expect(json()[0]).toMatchObject({ level: 'warn', worker: 'w1', job: 'b', traceId: 't' });
  });

  test('keep a field whose name every line has, under another name', () => {
    const { logger, json } = setup();
    logger.info('Hello', { message: 'mine', level: 9, timestamp: 0, service: 's' });
    expect(json()[0]).toEqual({
      timestamp: '2026-11-23T03:22:45.355Z',
      level: 'info',
      message: 'Hello',
      service: 'endpoint',
      'fields.message': 'mine',
      'fields.level': 9,
      'fields.timestamp': 0,
      'fields.service': 's',
    });
  });

  test('show errors with stack, code and cause, wherever they are', () => {
    const { logger, json } = setup();
    const cause = Object.assign(new TypeError('root'), { code: 'E_ROOT' });
    logger.error('Failed', {
      error: new Error('outer', { cause }),
      all: [new AggregateError([cause], 'many')],
    });
    expect(json()[0]).toMatchObject({
      error: {
        name: 'Error',
        message: 'outer',
        stack: expect.stringContaining('logger.test.ts'),
        cause: { name: 'TypeError', message: 'root', code: 'E_ROOT' },
      },
      all: [{ message: 'many', errors: [{ message: 'root' }] }],
    });
  });
});

describe('levels', () => {
  test.each([
    ['silent', []],
    ['error', ['error']],
    ['warn', ['warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['debug', ['debug', 'info', 'warn', 'error']],
  ] as const)('%s lets %j through', (level, expected) => {
    const { logger, json } = setup({ level });
    for (const each of ['debug', 'info', 'warn', 'error'] as const) logger[each]('x');
    expect(json().map((line) => line['level'])).toEqual(expected);
  });
});

describe('pretty lines', () => {
  test('are local time, level, message and fields', () => {
    const { logger, lines } = setup({ format: 'pretty' });
    logger.child({ job: '0abc' }).info('Job finished', { digest: 'a b', n: 3, ok: true, none: null });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.355 INFO {2}Job finished job=0abc digest="a b" n=3 ok=true none=null$/,
    );
  });

  test('say what an error is, what caused it and where', () => {
    const { logger, lines } = setup({ format: 'pretty' });
    logger.error('Failed', { error: new Error('outer', { cause: new TypeError('root') }) });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('error="Error: outer (caused by TypeError: root)" at=');
    expect(lines[0]).toMatch(/at=\S+logger\.test\.ts:\d+:\d+$/);
  });

  test('have colours only when told', () => {
    const { logger, lines } = setup({ format: 'pretty', colour: true });
    logger.warn('Careful');
    expect(lines[0]).toContain('\u001b[33mWARN \u001b[0m Careful');
  });
});

test.each(['json', 'pretty'] as const)('whatever is logged is one line (%s)', (format) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()),
      (message, fields) => {
        const { logger, lines } = setup({ format });
        logger.info(message, fields);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(/[\u0000-\u001f]/);
      },
    ),
  );
});

describe('values', () => {
  const circular: Record<string, unknown> = { name: 'loop' };
  circular['self'] = circular;

  test.each<[string, unknown, unknown]>([
    ['big integers', 12n, '12'],
    ['not a number', NaN, 'NaN'],
    ['bytes', new Uint8Array(64), '64 bytes'],
    ['dates', new Date(AT), '2026-11-23T03:22:45.355Z'],
    ['dates that are none', new Date(NaN), 'Invalid Date'],
    ['maps', new Map([['a', 1]]), [['a', 1]]],
    ['sets', new Set([1]), [1]],
    ['symbols', Symbol('x'), 'Symbol(x)'],
  ])('%s', (_case, value, expected) => {
    expect(plainValue(value)).toEqual(expected);
  });

  test('are bounded: long text, long lists, deep and circular objects', () => {
    expect(plainValue('x'.repeat(10_000))).toMatch(/^x{8192}… \(10000 characters\)$/);
    expect(plainValue(new Array(1_000).fill(0))).toHaveLength(100);
    expect(JSON.stringify(plainValue(circular)).length).toBeLessThan(200);
  });
});

test('a stream that fails is counted and harms nobody', async () => {
  const broken = new Writable({
    write: (_chunk, _encoding, done) => {
      done(new Error('EPIPE'));
    },
  });
  const { logger } = setup({ stream: broken });
  logger.info('one');
  await new Promise(setImmediate);
  logger.info('two');
  await new Promise(setImmediate);
  expect(logger.writeFailures()).toBeGreaterThan(0);
  logger.close();
  logger.close();
  expect(broken.listenerCount('error')).toBe(0);
});
