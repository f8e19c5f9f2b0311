import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { commandBlocks, ROOT } from './lib/pages.ts';
import { startService, type Service } from './lib/service.ts';
import { dockerTrouble } from './servers/docker.ts';

const LIMIT_MS = 60_000;

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function bash(script: string, limitMs: number): Promise<Outcome> {
  const path = [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-euo', 'pipefail', '-c', script],
      { cwd: ROOT, env, timeout: limitMs },
      (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, output: out + err });
      },
    );
  });
}

let dir: string;
let service: Service;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hashcluster-readme-'));
  // On the ports that the README names: the last flag wins.
  service = await startService({ dataDir: dir, args: ['--port', '5000', '--admin-port', '9090'] });
}, LIMIT_MS);
afterAll(async () => {
  await service.stop();
  await rm(dir, { recursive: true, force: true });
});

test(
  'every command of the README and of docs/ works, in order',
  async () => {
    const blocks = await commandBlocks('sh');
    expect(blocks.length).toBeGreaterThan(8);
    for (const block of blocks) {
      const { code, output } = await bash(block, LIMIT_MS);
      expect(`${block}\n${code === 0 ? '' : output}`).toBe(`${block}\n`);
    }
  },
  10 * LIMIT_MS,
);

const containers = (await dockerTrouble()) === null ? test : test.skip;

containers(
  'every command of docs/ for several processes works (needs Docker)',
  async () => {
    const blocks = await commandBlocks('sh docker');
    expect(blocks).toHaveLength(1);
    for (const block of blocks) {
      const { code, output } = await bash(block, 4 * LIMIT_MS);
      expect(`${block}\n${code === 0 ? '' : output}`).toBe(`${block}\n`);
    }
    const ports = blocks.flatMap((block) =>
      [...block.matchAll(/--admin-port (\d+)/g)].map(([, port]) => port),
    );
    expect(ports).toHaveLength(4);
    // What was started has ended, too.
    for (const port of ports) await expect(fetch(`http://127.0.0.1:${port!}/livez`)).rejects.toThrow();
  },
  5 * LIMIT_MS,
);
