import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '../lib/client.ts';
import { containersHere } from '../servers/container.ts';
import { CLUSTER_TROUBLE } from './testing.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const LIMIT_MS = 120_000;

async function containersOf(pid: number): Promise<string[]> {
  const all = await containersHere();
  return all.filter(({ owner }) => owner === String(pid)).map(({ name }) => name);
}

(CLUSTER_TROUBLE === null ? describe : describe.skip)('a fault campaign', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'removes its containers when it is ended by %s (needs Docker)',
    async (signal) => {
      const campaign = spawn(process.execPath, [MAIN, 'kill-worker', '--trials', '1'], { stdio: 'ignore' });
      const exited = once(campaign, 'exit');
      try {
        const isRunning = async (): Promise<boolean> => (await containersOf(campaign.pid!)).length > 0;
        await until('its first container', LIMIT_MS, isRunning);
      } finally {
        campaign.kill(signal);
      }
      expect(await exited).toEqual([1, null]);
      expect(await containersOf(campaign.pid!)).toEqual([]);
    },
    2 * LIMIT_MS,
  );
});
