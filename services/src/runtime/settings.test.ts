import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EnvReader, readSettings, readTogether, SettingsError } from './settings.ts';

/** What a reader makes of one value, and what it complains about. */
function reading<T>(
  value: string | undefined,
  read: (reader: EnvReader) => T,
): { value: T; faults: readonly string[] } {
  const reader = new EnvReader(value === undefined ? {} : { X: value });
  return { value: read(reader), faults: reader.faults };
}

describe('an integer', () => {
  const setting = { default: 7, min: -5, max: 100 };

  test.each([
    [undefined, 7],
    ['', 7],
    ['0', 0],
    ['-5', -5],
    ['100', 100],
    ['007', 7],
  ])('%j is %d', (text, expected) => {
    expect(reading(text, (read) => read.integer('X', setting))).toEqual({ value: expected, faults: [] });
  });

  test.each(['101', '-6', '1.5', '1e1', '0x10', ' 1', '1 ', '+1', 'abc', 'NaN', 'Infinity', '1_0'])(
    '%j is refused, and the error says what was expected and what came',
    (text) => {
      const { value, faults } = reading(text, (read) => read.integer('X', setting));
      expect(value).toBe(7);
      expect(faults).toEqual([`X: expected an integer from -5 to 100, got ${JSON.stringify(text)}`]);
    },
  );

  test('digits beyond what a double holds exactly are refused', () => {
    const wide = { default: 0, min: 0, max: Infinity };
    expect(reading('9007199254740991', (read) => read.integer('X', wide)).value).toBe(2 ** 53 - 1);
    expect(reading('9007199254740992', (read) => read.integer('X', wide)).faults).toHaveLength(1);
  });

  test('every integer within the bounds is read as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        const setting = { default: 0, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
        expect(reading(String(n), (read) => read.integer('X', setting))).toEqual({ value: n, faults: [] });
      }),
    );
  });
});

describe('a boolean', () => {
  test.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['on', true],
    ['no', false],
    ['0', false],
    ['False', false],
    ['off', false],
    ['', true],
  ])('%j is %j', (text, expected) => {
    expect(reading(text, (read) => read.boolean('X', true))).toEqual({ value: expected, faults: [] });
  });

  test.each(['2', 'y', 'truth', '-'])('%j is refused', (text) => {
    const { faults } = reading(text, (read) => read.boolean('X', true));
    expect(faults).toEqual([`X: expected true or false, got ${JSON.stringify(text)}`]);
  });
});

describe('a choice', () => {
  const setting = { default: 'json', of: ['json', 'pretty'] } as const;

  test.each([
    [undefined, 'json'],
    ['PRETTY', 'pretty'],
  ])('%j is %j', (text, expected) => {
    expect(reading(text, (read) => read.choice('X', setting)).value).toBe(expected);
  });

  test('anything else is refused by naming what there is', () => {
    const { faults } = reading('xml', (read) => read.choice('X', setting));
    expect(faults).toEqual(['X: expected one of json, pretty, got "xml"']);
  });
});

describe('a duration', () => {
  const setting = { default: 1_000, min: 0, max: 30 * 86_400_000 };

  test.each([
    [undefined, 1_000],
    ['0s', 0],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
  ])('%j is %d ms', (text, expected) => {
    expect(reading(text, (read) => read.durationMs('X', setting))).toEqual({ value: expected, faults: [] });
  });

  test.each(['10', '-1s', '1 s', '1w', '31d', 's', '1e3ms', '.5s'])('%j is refused', (text) => {
    const { faults } = reading(text, (read) => read.durationMs('X', setting));
    expect(faults).toEqual([
      `X: expected a duration from 0ms to 30d, such as 500ms, 10s, 5m, 1h or 30d, got ${JSON.stringify(text)}`,
    ]);
  });
});

describe('text', () => {
  test('may have a default of null and must match its pattern', () => {
    const setting = { default: null, pattern: /^[a-z]+$/, expected: 'lower-case letters' };
    expect(reading(undefined, (read) => read.text('X', setting)).value).toBeNull();
    expect(reading('abc', (read) => read.text('X', setting)).value).toBe('abc');
    expect(reading('A', (read) => read.text('X', setting)).faults).toEqual([
      'X: expected lower-case letters, got "A"',
    ]);
  });

  test('that is secret is not repeated in the error', () => {
    const setting = { default: null, pattern: /^.{20,}$/, expected: 'at least 20 characters', secret: true };
    expect(reading('hunter2', (read) => read.text('X', setting)).faults).toEqual([
      'X: expected at least 20 characters',
    ]);
  });
});

describe('readSettings', () => {
  const parse = (read: EnvReader): { port: number; host: string | null } => ({
    port: read.integer('PORT', { default: 5000, min: 0, max: 65_535 }),
    host: read.text('HOST', { default: null }),
  });

  test('gives what was read', () => {
    expect(readSettings({ PORT: '80' }, parse)).toEqual({ port: 80, host: null });
  });

  test('names every variable that is wrong in one error', () => {
    const run = (): unknown =>
      readSettings({ PORT: 'x', DEBUG: 'maybe' }, (read) => {
        read.boolean('DEBUG', false);
        read.fault('HOST', 'needed when PORT is set');
        return parse(read);
      });
    expect(run).toThrow(SettingsError);
    expect(run).toThrow(
      'DEBUG: expected true or false, got "maybe"\n' +
        'HOST: needed when PORT is set\n' +
        'PORT: expected an integer from 0 to 65535, got "x"',
    );
  });
});

describe('settings that are read together', () => {
  const env = { A: 'x', B: 'y' };
  const number = (name: string) => () =>
    readSettings(env, (read) => read.integer(name, { default: 1, min: 0, max: 9 }));

  test('tell all that is wrong at once, each thing once', () => {
    const read = (): unknown => readTogether({ a: number('A'), b: number('B'), again: number('A') });
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(/^A: .*\nB: .*$/);
  });

  test('are what each of them is, by name', () => {
    expect(readTogether({ c: number('C'), text: () => 'd' })).toEqual({ c: 1, text: 'd' });
  });

  test('do not hide another kind of error', () => {
    const broken = (): never => {
      throw new TypeError('a mistake');
    };
    expect(() => readTogether({ a: number('A'), broken })).toThrow('a mistake');
  });
});
