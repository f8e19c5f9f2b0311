import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { base64Trouble } from './base64.ts';

describe('canonical base64', () => {
  test('is what node writes, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(base64Trouble(Buffer.from(bytes).toString('base64'))).toBeNull();
      }),
    );
  });

  test('is the only text for its bytes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const same = Buffer.from(text, 'base64').toString('base64') === text;
        expect(base64Trouble(text) === null).toBe(same);
      }),
      { examples: [['QQ=='], ['QR=='], ['QUI='], ['QUJ='], ['===='], ['A==='], ['QQ==QQ==']] },
    );
  });

  test.each([
    ['QQ', 'multiple of 4 characters; it has 2'],
    ['QUJ', 'it has 3'],
    ['QU-_', 'character 3 is "-"'],
    ['QUI=QUI=', 'character 4 is "="'],
    ['QUI\n', 'character 4 is "\\n"'],
    ['QR==', 'unused bits'],
    ['QUJ=', 'unused bits'],
  ])('is not %j', (text, message) => {
    expect(base64Trouble(text)).toContain(message);
  });
});
