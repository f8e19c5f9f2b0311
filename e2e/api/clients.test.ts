import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startService, type Service } from '../lib/service.ts';
import { languages, run } from './generate.ts';

/** Beneath the root, where Node.js finds the packages that a generated client imports. */
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
const LIMIT_MS = 600_000;
/** Done within the answer, and too long for that. */
const [WAITED, POLLED] = [10_000, 300_000];

/** The digest of the data at a position. */
function digestOf(data: string, position: number): string {
  let digest = hash('sha512', data, 'buffer');
  for (let at = 1; at < position; at++) digest = hash('sha512', digest, 'buffer');
  return digest.toString('hex');
}

let folder = '';
let service: Service;
let document = '';
beforeAll(async () => {
  await mkdir(CACHE, { recursive: true });
  folder = await mkdtemp(join(CACHE, 'api-clients-'));
  service = await startService({ dataDir: join(folder, 'data') });
  document = await (await fetch(`${service.url}/openapi.json`)).text();
}, 60_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

describe('a client generated from the OpenAPI document', () => {
  for (const { name, needs, isAvailable, generate } of languages())
    (isAvailable ? test : test.skip)(
      `in ${name} submits, waits, polls and reads${needs === null ? '' : ` (needs ${needs})`}`,
      async () => {
        const cwd = join(folder, name);
        await mkdir(cwd);
        await writeFile(join(cwd, 'openapi.json'), document);
        const command = await generate(cwd);
        const output = await run([...command, service.url, name, String(WAITED), String(POLLED)], { cwd });
        expect(output.trim().split(/\s+/)).toEqual([digestOf(name, WAITED), digestOf(name, POLLED)]);
      },
      LIMIT_MS,
    );
});
