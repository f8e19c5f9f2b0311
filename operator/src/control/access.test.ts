import { expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock } from '../runtime/clock.ts';
import { PodAccess } from './access.ts';
import { Credentials } from './credentials.ts';

test('a pod comes with the token that is in its file now', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'access-'));
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now };
  const access = new PodAccess({ host: 'fd00::1', port: 6443 }, folder);
  const credentials = new Credentials(access, clock);
  await expect(credentials.get()).rejects.toThrow('ENOENT');
  await writeFile(join(folder, 'ca.crt'), 'certificate');
  await writeFile(join(folder, 'token'), 'one\n');
  const one = { tls: { ca: 'certificate' }, headers: { Authorization: 'Bearer one' } };
  expect(await credentials.get()).toEqual(one);
  await writeFile(join(folder, 'token'), 'two\n');
  expect(await credentials.get()).toEqual(one);
  now += 60_000;
  expect((await credentials.get()).headers).toEqual({ Authorization: 'Bearer two' });
  await writeFile(join(folder, 'token'), 'three\n');
  credentials.forget();
  expect((await credentials.get()).headers).toEqual({ Authorization: 'Bearer three' });
  expect(access.getCurrentCluster().server).toBe('https://[fd00::1]:6443');
  await rm(folder, { recursive: true });
});
