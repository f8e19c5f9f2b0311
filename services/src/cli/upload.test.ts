import { PassThrough, Readable } from 'node:stream';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
    expect(upload.size).toBe(size);
    for (let i = 0; i < 2; i++) {
      expect(upload.canOpen()).toBe(true);
      expect((await read(upload)).equals(data)).toBe(true);
    }
  });

  test('that grows is read up to the size it had', async () => {
    const path = join(directory, 'grows');
    await writeFile(path, 'abc');
    const upload = await openUpload(path, nothing);
    await writeFile(path, 'abcdef');
    expect((await read(upload)).toString()).toBe('abc');
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
