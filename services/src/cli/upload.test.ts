import { PassThrough, Readable } from 'node:stream';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from './exit-codes.ts';
import { openUpload, type Upload } from './upload.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hashcluster-upload-'));
});
afterAll(() => rm(directory, { recursive: true }));

const nothing = Readable.from([]);

async function read(upload: Upload): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of upload.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a file', () => {
  test.each([0, 1, 262_144, 600_000])('of %d bytes is read whole, again and again', async (size) => {
    const path = join(directory, `file-${size}`);
    const data = Buffer.alloc(size, 'abc');
    await writeFile(path, data);
    const upload = await openUpload(path, nothing);
    expect(upload.size).toBe(size === 0 ? null : size);
    for (let i = 0; i < 2; i++) {
      expect(upload.canOpen()).toBe(true);
      expect((await read(upload)).equals(data)).toBe(true);
    }
  });

  test.each([
    ['grows', 'abcdef', 'it has grown where 3 bytes were announced'],
    ['shrinks', 'ab', 'it ended after 2 where 3 bytes were announced'],
  ])('that %s is an error before its last bytes are sent', async (name, content, why) => {
    const path = join(directory, name);
    await writeFile(path, 'abc');
    const upload = await openUpload(path, nothing);
    await writeFile(path, content);
    const sent: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of upload.open()) sent.push(chunk);
    })();
    await expect(reading).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining(why),
    });
    expect(Buffer.concat(sent).length).toBe(0);
  });

  const withProc = existsSync('/proc/version') ? test : test.skip;
  withProc('whose size is not known beforehand is read to its end (needs /proc)', async () => {
    const upload = await openUpload('/proc/version', nothing);
    expect(upload.size).toBeNull();
    const expected = await readFile('/proc/version');
    expect(expected.length).toBeGreaterThan(0);
    for (let i = 0; i < 2; i++) expect((await read(upload)).equals(expected)).toBe(true);
  });

  test.each([
    ['nowhere', 'there is no such file'],
    ['.', 'it is a directory'],
  ])('%s cannot be read: %s', async (name, why) => {
    const opening = openUpload(join(directory, name), nothing);
    await expect(opening).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining(why),
    });
  });

  test('whose name is not valid UTF-8 can be sent through standard input, as the error says', async () => {
    const opening = openUpload(join(directory, 'caf\ufffd'), nothing);
    await expect(opening).rejects.toMatchObject({ details: [expect.stringContaining('submit - < FILE')] });
  });

  test('that vanishes is an error of the source', async () => {
    const path = join(directory, 'vanishes');
    await writeFile(path, 'abc');
    const upload = await openUpload(path, nothing);
    await rm(path);
    await expect(read(upload)).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});

describe('standard input', () => {
  test('can be read again while it is short', async () => {
    const upload = await openUpload('-', Readable.from([Buffer.from('ab'), Buffer.from('c')]));
    expect(upload.size).toBeNull();
    expect((await read(upload)).toString()).toBe('abc');
    expect(upload.canOpen()).toBe(true);
    expect((await read(upload)).toString()).toBe('abc');
  });

  test('is not held when it is long', async () => {
    const chunk = Buffer.alloc(400_000);
    const upload = await openUpload('-', Readable.from([chunk, chunk, chunk, chunk, chunk]));
    expect((await read(upload)).length).toBe(2_000_000);
    expect(upload.canOpen()).toBe(false);
  });

  test('loses nothing when a reader gives up while it waits', async () => {
    const source = new PassThrough();
    const upload = await openUpload('-', source);
    const first = upload.open()[Symbol.asyncIterator]();
    source.write('a');
    await first.next();
    const waiting = first.next();
    const second = upload.open()[Symbol.asyncIterator]();
    const seen = [await second.next()];
    const next = second.next();
    source.write('b');
    // What the first was waiting for reaches the second, before there is any more.
    seen.push(await next);
    await waiting;
    await first.return?.(undefined);
    source.end('c');
    seen.push(await second.next(), await second.next());
    expect(seen.map(({ value, done }) => (done ? 'end' : String(value)))).toEqual(['a', 'b', 'c', 'end']);
  });

  test('that breaks is an error of the source', async () => {
    const source = new PassThrough();
    const upload = await openUpload('-', source);
    source.destroy(new Error('the cable is loose'));
    await expect(read(upload)).rejects.toMatchObject({
      message: 'Cannot read standard input: the cable is loose.',
    });
  });
});
