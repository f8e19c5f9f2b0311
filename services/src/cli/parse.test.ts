import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countParser, parseDuration, parseIterations, parseJobId, parseServer } from './parse.ts';

describe('iterations', () => {
  test.each([
    ['1', 1],
    ['007', 7],
    ['1000000', 1_000_000],
    ['1_000_000', 1_000_000],
    ['1e6', 1_000_000],
    ['1E+6', 1_000_000],
    ['1.5e6', 1_500_000],
    ['10k', 10_000],
    ['10K', 10_000],
    ['2.5M', 2_500_000],
    ['1G', 1_000_000_000],
    ['0.5T', 500_000_000_000],
    ['1.0', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9.007199254740991e15', Number.MAX_SAFE_INTEGER],
  ])('%s are %d', (text, value) => expect(parseIterations(text)).toBe(value));

  test.each([
    ['0', 'start at 1'],
    ['0.0', 'start at 1'],
    ['-5', 'start at 1'],
    ['1.5', 'whole number'],
    ['1.2345k', 'whole number'],
    ['9007199254740992', '2^53'],
    ['1e16', '2^53'],
    ['1e400', '2^53'],
    ['9999T', '2^53'],
    ['', 'Write a number'],
    ['0x10', 'Write a number'],
    ['1,000', 'Write a number'],
    ['ten', 'Write a number'],
    ['10m', 'Write a number'],
    ['10Ki', 'Write a number'],
    ['1e6k', 'Write a number'],
    ['1__0', 'Write a number'],
    ['_1', 'Write a number'],
    ['1e-3', 'Write a number'],
    [' 1', 'Write a number'],
    ['Infinity', 'Write a number'],
    ['１', 'Write a number'],
  ])('%p are refused: %s', (text, why) => expect(() => parseIterations(text)).toThrow(why));

  test('every number that a job can ask for is read exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (value) => {
        expect(parseIterations(String(value))).toBe(value);
        expect(parseIterations(value.toLocaleString('en').replaceAll(',', '_'))).toBe(value);
      }),
    );
  });
});

describe('other values', () => {
  test.each([
    ['0', 0],
    ['30', 30_000],
    ['500ms', 500],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['2h', 7_200_000],
    ['24d', 2_073_600_000],
  ])('the time %s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    ['', 'Write a time'],
    ['-1s', 'Write a time'],
    ['5 m', 'Write a time'],
    ['1w', 'Write a time'],
    ['25d', '24d'],
  ])('the time %p is refused: %s', (text, why) => expect(() => parseDuration(text)).toThrow(why));

  test.each(['0', '65535'])('the port %s is taken', (text) => {
    expect(countParser('A port', 0, 65_535)(text)).toBe(Number(text));
  });

  test.each(['65536', '-1', '1.5', '', '1e3', '0x50'])('the port %p is refused', (text) => {
    expect(() => countParser('A port', 0, 65_535)(text)).toThrow(
      'A port is a whole number from 0 to 65,535.',
    );
  });

  test('a job id may be in capitals, as read out on the telephone', () => {
    expect(parseJobId('0123456789ABCDEFGHJKMNPQRS')).toBe('0123456789abcdefghjkmnpqrs');
  });

  test.each(['', 'zz', '0123456789abcdefghjkmnpqr', '8123456789abcdefghjkmnpqrs', '../v1/cluster'])(
    'the job id %p is refused',
    (text) => expect(() => parseJobId(text)).toThrow('26 letters and digits'),
  );

  test.each([
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/'],
    ['https://hash.example.org/api', 'https://hash.example.org/api/'],
    ['http://[::1]:5000/', 'http://[::1]:5000/'],
  ])('the address %s is %s', (text, href) => expect(parseServer(text).href).toBe(href));

  test.each(['localhost:5000', '127.0.0.1', 'ftp://x', '', 'http://x/?a=1', 'http://x/#a'])(
    'the address %p is refused',
    (text) => expect(() => parseServer(text)).toThrow(),
  );
});
