import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startService, type Service } from '../lib/service.ts';

const REDOCLY = fileURLToPath(new URL('../../node_modules/.bin/redocly', import.meta.url));
/** Nothing is reported or looked up elsewhere. */
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

let folder = '';
let service: Service;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashcluster-openapi-'));
  service = await startService({ dataDir: join(folder, 'data') });
}, 60_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

test('the OpenAPI document of a service passes redocly lint without a warning', async () => {
  const document = await fetch(`${service.url}/openapi.json`);
  await writeFile(join(folder, 'openapi.json'), await document.text());
  await writeFile(join(folder, 'redocly.yaml'), 'extends: [recommended-strict]\n');
  const lint = promisify(execFile)(REDOCLY, ['lint', 'openapi.json'], {
    cwd: folder,
    env: { ...process.env, ...QUIET },
  });
  const { stderr } = await lint.catch((error: unknown) => {
    const { stdout, stderr: said } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${stdout}${said}`);
  });
  expect(stderr).toContain('valid');
}, 60_000);
